"""A plan in the hands of a planner: a base and an append-only log of edits, undos and redos on top of it.

The log is the history, the audit trail and the version: who edits says which version was looked at, and an edit of an
older one is refused. Replaying a stored log on the same base gives the identical plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mapgrid.adjust import apply
from mapgrid.adjusting.edits import KIND, Edit, as_record, from_record
from mapgrid.errors import EditRefusedError, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mapgrid.adjust import Adjusted
    from mapgrid.partition.plan import Plan


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last edit back."""


@dataclass(frozen=True, slots=True)
class Redo:
    """Make the edit again that was taken back last."""


Entry = Edit | Undo | Redo


@dataclass(frozen=True, eq=False)
class Workspace:
    """A base plan with what was done to it.

    Attributes
    ----------
    base
        The plan that editing began with.
    log
        All that was done, in order; nothing is ever taken out.
    done, undone
        Edits in force with the plans they made, oldest first; edits to redo, the next one last.
    """

    base: Plan
    log: tuple[Entry, ...] = ()
    done: tuple[tuple[Edit, Adjusted], ...] = field(default=(), repr=False)
    undone: tuple[tuple[Edit, Adjusted], ...] = field(default=(), repr=False)

    @property
    def plan(self) -> Plan:
        """The plan as it is now."""
        return self.done[-1][1].plan if self.done else self.base

    @property
    def version(self) -> int:
        """How many entries the log has; it grows with every edit, undo and redo."""
        return len(self.log)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits in force, oldest first."""
        return tuple(edit for edit, _ in self.done)

    @property
    def last(self) -> Adjusted | None:
        """What the last edit in force touched and warned of."""
        return self.done[-1][1] if self.done else None

    def apply(self, edit: Edit, *, version: int | None = None) -> Workspace:
        """Return the workspace after an edit of the version that was looked at; see `mapgrid.adjust.apply`."""
        self._check(version)
        return Workspace(self.base, (*self.log, edit), (*self.done, (edit, apply(self.plan, edit))))

    def undo(self, *, version: int | None = None) -> Workspace:
        """Return the workspace without the last edit in force."""
        self._check(version)
        if not self.done:
            raise _nothing("undo")
        return Workspace(self.base, (*self.log, Undo()), self.done[:-1], (*self.undone, self.done[-1]))

    def redo(self, *, version: int | None = None) -> Workspace:
        """Return the workspace with the edit again that was taken back last; a new edit leaves none to redo."""
        self._check(version)
        if not self.undone:
            raise _nothing("redo")
        return Workspace(self.base, (*self.log, Redo()), (*self.done, self.undone[-1]), self.undone[:-1])

    def as_records(self) -> list[dict[str, Any]]:
        """Return the log as plain records, to be written as JSON."""
        return [_record(entry) for entry in self.log]

    def _check(self, version: int | None) -> None:
        if version is not None and version != self.version:
            hint = "load the plan again and look whether the edit is still wanted"
            raise EditRefusedError(Refusal.STALE_VERSION, f"version {self.version}", f"version {version}", hint)


def replay(base: Plan, records: Iterable[Mapping[str, Any]]) -> Workspace:
    """Return the workspace that a stored log makes of its base plan.

    Raises
    ------
    EditRefusedError
        If a record is unreadable, or an edit does not fit the base: it is another plan than the log was made on.
    """
    workspace = Workspace(base)
    for record in records:
        match record.get(KIND):
            case "undo":
                workspace = workspace.undo()
            case "redo":
                workspace = workspace.redo()
            case _:
                workspace = workspace.apply(from_record(record))
    return workspace


def _record(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, Undo | Redo):
        return {KIND: type(entry).__name__.lower()}
    return as_record(entry)


def _nothing(what: str) -> EditRefusedError:
    return EditRefusedError(Refusal.NOTHING_CHANGES, f"an edit to {what}", "none", "edit first")
