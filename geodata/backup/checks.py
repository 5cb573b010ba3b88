"""Compare what a restored database holds with what the manifest of its backup says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.backup.contents import Contents
    from geodata.backup.manifest import Manifest

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared or tried.

    Attributes
    ----------
    subject
        What.
    passed
        Whether it is as it should be.
    detail
        How much was compared, or what differs.
    """

    subject: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        """Return a line of a report."""
        return f"{'ok  ' if self.passed else 'FAIL'}  {self.subject}: {self.detail}"


def compare(manifest: Manifest, found: Contents, *, is_same_server: bool) -> list[Check]:
    """Return one check per kind of content.

    Parameters
    ----------
    manifest
        What must be there.
    found
        What is there.
    is_same_server
        Whether the major version is the one that wrote the backup; another one may word definitions differently and
        name things that had no name, so that only what is missing counts.
    """
    wanted = manifest.contents
    checks = [_compare_tables(wanted, found), _compare_sequences(wanted, found)]
    for kind in sorted(wanted.definitions.keys() | found.definitions.keys()):
        here, there = wanted.definitions.get(kind, {}), found.definitions.get(kind, {})
        if not is_same_server:
            here, there = dict.fromkeys(here, ""), dict.fromkeys(here.keys() & there.keys(), "")
        checks.append(_compare_names(kind, here, there))
    return checks


def _compare_tables(wanted: Contents, found: Contents) -> Check:
    differing = [
        f"{name}: expected {_rows(wanted, name)}, found {_rows(found, name)}"
        for name in sorted(wanted.tables.keys() | found.tables.keys())
        if wanted.tables.get(name) != found.tables.get(name)
    ]
    whole = f"{len(wanted.tables)} tables, {wanted.rows} rows, every hash equal"
    return Check("rows", not differing, _shorten(differing) or whole)


def _rows(contents: Contents, name: str) -> str:
    table = contents.tables.get(name)
    return f"{table.rows} rows ({table.sha256[:8]})" if table else "no table"


def _compare_sequences(wanted: Contents, found: Contents) -> Check:
    """Sequences run ahead of a snapshot: a restored one must not have given fewer numbers."""
    behind = [
        f"{name}: expected {number} or more, found {found.sequences.get(name)}"
        for name, number in wanted.sequences.items()
        if found.sequences.get(name, -1) < number
    ]
    return Check("sequences", not behind, _shorten(behind) or f"{len(wanted.sequences)}, none behind")


def _compare_names(kind: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> Check:
    differing = [
        f"{name} {'is missing' if name not in found else 'is too many' if name not in wanted else 'differs'}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    return Check(kind, not differing, _shorten(differing) or f"{len(wanted)}, all equal")


def _shorten(differing: list[str]) -> str:
    more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
    return "; ".join(differing[:_SHOWN]) + more
