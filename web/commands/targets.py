"""Files that a division writes: each can be written, none is an input, no two are the same."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from geodata.files.archives import SHAPEFILE_PARTS
from geodata.files.spec import split_spec
from mapgrid.errors import LimitsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from web.actions.division_inputs import Sources


def check_targets(targets: Mapping[str, Path | None], sources: Sources) -> None:
    """Raise `LimitsError` unless each file can be written without harm to an input or to another of them.

    Parameters
    ----------
    targets
        What is to be written, by option; None where it was not asked for.

    Raises
    ------
    InputRefusedError
        If an input is not there.
    """
    asked = {option: target for option, target in targets.items() if target is not None}
    for option, target in asked.items():
        _check_place(target)
        check_no_input(option, (target,), sources)
    for (option, target), (other, again) in combinations(asked.items(), 2):
        if is_same_file(target, again):
            msg = f"{option}, {other}: expected two files, found {target} for both; name another file for one of them"
            raise LimitsError(msg)


def check_plan_name(plan: Path) -> None:
    """Raise `LimitsError` unless a plan is called what it is."""
    if plan.suffix.lower() != ".gpkg":
        msg = f"--out: expected a file name that ends in .gpkg, since a plan is a GeoPackage, found {plan.name}"
        raise LimitsError(msg)


def check_no_input(option: str, targets: Iterable[Path], sources: Sources) -> None:
    """Raise `LimitsError` naming the first of some files to write that is an input."""
    inputs = {mark for spec in sources.files() for part in _parts(split_spec(spec)[0]) for mark in _marks(part)}
    for target in targets:
        if inputs & _marks(target):
            msg = f"{option}: expected a file that is no input, found {target}, which is read; name another file"
            raise LimitsError(msg)


def is_same_file(one: Path, other: Path) -> bool:
    """Return whether two paths lead to the same file, whether it is there already or not."""
    return bool(_marks(one) & _marks(other))


def _marks(file: Path) -> set[Path | tuple[int, int]]:
    """Return what a file is known by: its path without links and, once it is there, its number on its device."""
    whole = file.resolve()
    if not whole.exists():
        return {whole}
    status = whole.stat()
    return {whole, (status.st_dev, status.st_ino)}


def _check_place(target: Path) -> None:
    if target.is_dir() or not target.resolve().parent.is_dir():
        found = "a directory" if target.is_dir() else f"no directory {target.parent}"
        msg = f"{target}: expected a file to write in an existing directory, found {found}"
        raise LimitsError(msg)


def _parts(file: Path) -> list[Path]:
    """Return a file with those that belong to it: a shapefile is several."""
    if file.suffix.lower() != ".shp":
        return [file]
    return [file, *(file.with_suffix(suffix) for suffix in SHAPEFILE_PARTS if suffix != file.suffix)]
