"""Compiled functions made ready before a command begins, with a word on it where that takes long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mapgrid.partition import warm
from mapgrid.partition.kernels import are_kept
from web.interrupts import leaving_at_once

if TYPE_CHECKING:
    from web.actions.divide_files import Wanted
    from web.actions.division_inputs import Sources

_ONCE = "compiling for this machine, once: up to two minutes"


def get_ready(sources: Sources, wanted: Wanted, *, quiet: bool, interrupted: str) -> None:
    """Compile what a command needs, or load it where it was compiled before; say so where that takes long.

    Parameters
    ----------
    sources, wanted
        What is divided, and how.
    interrupted
        What to say when it is broken off.
    """
    units, bound = bool(sources.units or sources.unit_column), wanted.effort == "thorough"
    needed = {"seeds": True, "columns": units, "climbing": bound, "flow": sources.base is not None}
    if not quiet and any(not are_kept(module) for module, is_needed in needed.items() if is_needed):
        click.echo(f"note: {_ONCE}", err=True)
    with leaving_at_once(interrupted):
        warm(units=units, bound=bound)
