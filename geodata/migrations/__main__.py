"""Write the next step after `tables.py` has changed: `python -m geodata.migrations "What changes"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from geodata import cluster
from geodata.database import alembic_config, migrate, open_engine


def write_next_step(message: str) -> None:
    """Write what `tables.py` has and the newest revision lacks to `versions/`; a database is made to compare them."""
    config = alembic_config()
    head = ScriptDirectory.from_config(config).get_current_head()
    with tempfile.TemporaryDirectory(prefix="mapgrid-") as directory:
        home = Path(directory)
        home.chmod(0o755)
        try:
            url = cluster.start(home, keep=False).url
            migrate(url)
            engine = open_engine(url)
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.revision(config, message, autogenerate=True, rev_id=f"{int(head or 0) + 1:04}")
            engine.dispose()
        finally:
            cluster.destroy(home)


if __name__ == "__main__":
    write_next_step(" ".join(sys.argv[1:]))
