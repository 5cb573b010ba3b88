"""The command line `mapgrid`."""

from __future__ import annotations

from importlib import import_module

import click

from mapgrid.errors import MapgridError
from web.interrupts import is_interrupt

# Loaded only when called: `mapgrid db status` should not wait for geopandas and numba to import.
_COMMANDS = {
    "audit": "web.commands.audit:audit",
    "backup": "web.commands.backup:backup",
    "db": "web.commands.db:db",
    "demo": "web.commands.demo:demo",
    "divide": "web.commands.divide:divide",
    "import": "web.commands.imports:import_",
    "partition": "web.commands.partition:partition",
    "partition-all": "web.commands.partition_all:partition_all",
    "restore": "web.commands.restore:restore",
    "serve": "web.commands.serve:serve",
    "user": "web.commands.user:user",
    "worker": "web.commands.worker:worker",
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command, or None when there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what mapgrid refuses ends with 2 and its message on stderr."""
        try:
            return super().invoke(ctx)
        except MapgridError as error:
            click.echo(f"mapgrid: {error}", err=True)
            ctx.exit(2)
        except (KeyboardInterrupt, SystemError) as stopped:
            if not is_interrupt(stopped):
                raise
            ctx.exit(130)  # as shells expect, even while the command is still being imported


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mapgrid")
def main() -> None:
    """Keep, divide and show the grids of rural villages."""
