"""What a stored log of a plan has in force: which of its edits were taken back, and which can be made again.

A log is an append-only list of records. Those of edits, undos and redos change the plan; others (`STEPS`) tell what
else was done with it. `Workspace` keeps every plan on the way; this module says which edits lead to the plan there is,
so that a server can begin from any plan on the way that it still has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from mapgrid.adjusting.edits import KIND
from mapgrid.errors import EditRefusedError, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNDO, REDO = "undo", "redo"
STEPS = ("begin", "review", "return", "publish", "supersede")
"""Kinds of records that leave the plan as it is."""


@dataclass(frozen=True, slots=True)
class InForce:
    """Edits of a log by their number in it.

    Attributes
    ----------
    done
        In force, oldest first: made one after another on the base, they give the plan there is.
    undone
        Taken back and to be made again, the next one last.
    """

    done: tuple[int, ...] = ()
    undone: tuple[int, ...] = ()

    def after(self, number: int, record: Mapping[str, Any]) -> InForce:
        """Return what is in force after one more record.

        Raises
        ------
        EditRefusedError
            `NOTHING_CHANGES` when there is no edit to undo or redo.
        """
        match record.get(KIND):
            case "undo":
                if not self.done:
                    raise _nothing(UNDO)
                return InForce(self.done[:-1], (*self.undone, self.done[-1]))
            case "redo":
                if not self.undone:
                    raise _nothing(REDO)
                return InForce((*self.done, self.undone[-1]), self.undone[:-1])
            case kind if kind in STEPS:
                return self
            case _:
                return InForce((*self.done, number))


def in_force(records: Iterable[tuple[int, Mapping[str, Any]]]) -> InForce:
    """Return what a log, its records with their numbers in order, has in force."""
    found = InForce()
    for number, record in records:
        found = found.after(number, record)
    return found


def marks(base: str, edits: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a mark for a base plan and for each plan that its edits make one after another.

    Parameters
    ----------
    base
        The mark of the base plan.
    edits
        Records of edits.

    Notes
    -----
    Editing is a pure function, so one mark always means the identical plan, whoever computed it and whether or not
    what it was computed for was kept in the end.
    """
    found = [base]
    for edit in edits:
        text = json.dumps(edit, sort_keys=True, separators=(",", ":"))
        found.append(blake2b(f"{found[-1]} {text}".encode(), digest_size=20).hexdigest())
    return tuple(found)


def _nothing(what: str) -> EditRefusedError:
    return EditRefusedError(Refusal.NOTHING_CHANGES, f"an edit to {what}", "none", "edit first")
