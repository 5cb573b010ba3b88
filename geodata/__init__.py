"""Where things are kept: PostGIS, files and formats."""
