"""A real village in the store, brought there as people bring it."""

from click.testing import CliRunner

from geodata.samples.index import VILLAGES
from web.cli import main

PLANKEN = next(village for village in VILLAGES if village.name_en == "Planken")
CODE = "350524103201"


def store_village(database_url, code=CODE):
    """Import the village under a code and return it."""
    runner = CliRunner(env={"MAPGRID_DATABASE_URL": database_url})
    for arguments in (
        ("village", f"{PLANKEN.file}:village", "--code", code, "--name", "南山村"),
        ("households", f"{PLANKEN.file}:households", "--village", code, "--column", "code="),
    ):
        done = runner.invoke(main, ["import", *arguments])
        assert done.exit_code == 0, done.output
    return code
