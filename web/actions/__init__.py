"""Use cases, free of Flask: load, decide, save."""
