"""Plans as the domain has them, kept in memory by their mark, and computed from the store where they are not."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geodata.plan_edits import load_log
from geodata.plan_snapshots import BASE, load_marks, load_snapshot
from mapgrid.adjust import apply, from_record
from mapgrid.adjusting.log import in_force, marks
from mapgrid.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.plan_edits import LogEntry
    from mapgrid.adjusting.log import InForce
    from mapgrid.partition.plan import Plan

_NONE: Mapping[int, Mapping[str, Any]] = MappingProxyType({})
_MOST_CELLS = 60_000
"""Cells of all plans that one process keeps: about 100 MB."""


class PlanShelf:
    """Plans by mark, those used last; a mark means one plan for ever, so nothing on the shelf can be out of date."""

    def __init__(self, most_cells: int = _MOST_CELLS) -> None:
        self._most_cells, self._cells = most_cells, 0
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._lock = Lock()

    def find(self, mark: str) -> Plan | None:
        """Return the plan of a mark if it is here."""
        with self._lock:
            plan = self._plans.get(mark)
            if plan is not None:
                self._plans.move_to_end(mark)
            return plan

    def keep(self, mark: str, plan: Plan) -> None:
        """Keep a plan; those that were not used for the longest time make room."""
        with self._lock:
            if mark not in self._plans:
                self._plans[mark] = plan
                self._cells += len(plan.cells)
            while self._cells > self._most_cells and len(self._plans) > 1:
                self._cells -= len(self._plans.popitem(last=False)[1].cells)


class PlanHistory:
    """The log of one plan with the plans that it leads to.

    Attributes
    ----------
    entries
        All that was done, in order.
    in_force
        Which edits count now.
    marks
        Of the kept plans, by version; empty for a plan that was never kept, which nobody can edit.
    """

    def __init__(self, session: Session, shelf: PlanShelf, plan_id: int) -> None:
        self._session, self._shelf, self._plan_id = session, shelf, plan_id
        self.entries: Sequence[LogEntry] = load_log(session, plan_id)
        self.in_force: InForce = in_force((entry.version, entry.record) for entry in self.entries)
        self.marks: Mapping[int, str] = load_marks(session, plan_id)

    @property
    def is_kept(self) -> bool:
        """Whether the plan itself is in the store, not only its rows."""
        return BASE in self.marks

    def chain(self, done: Sequence[int], new: Mapping[int, Mapping[str, Any]] = _NONE) -> tuple[str, ...]:
        """Return the mark of the base, and of the plan after each of some edits made one after another.

        `new` are records by version that are not in the log yet.
        """
        of_version = {entry.version: entry.record for entry in self.entries} | dict(new)
        return marks(self.marks[BASE], [of_version[version] for version in done])

    def plan_after(self, done: Sequence[int]) -> Plan:
        """Return the plan that edits of the log (their versions) make on the base, from the nearest one there is.

        Raises
        ------
        ConflictError
            If the plan was never kept to the last bit.
        """
        if not self.is_kept:
            msg = f"plan {self._plan_id} was stored without what edits need; begin a new draft"
            raise ConflictError(msg)
        chain, of_version = self.chain(done), {entry.version: entry.record for entry in self.entries}
        depth, plan = self._nearest(chain, (BASE, *done))
        for version, mark in zip(done[depth:], chain[depth + 1 :], strict=True):
            plan = apply(plan, from_record(of_version[version])).plan
            self._shelf.keep(mark, plan)
        return plan

    def _nearest(self, chain: Sequence[str], versions: Sequence[int]) -> tuple[int, Plan]:
        """Return the last plan on the way that is on the shelf or in the store, and how many edits lead to it."""
        for depth in range(len(chain) - 1, -1, -1):
            plan = self._shelf.find(chain[depth])
            if plan is None and versions[depth] in self.marks:
                plan = load_snapshot(self._session, self._plan_id, versions[depth])
                self._shelf.keep(chain[depth], plan)
            if plan is not None:
                return depth, plan
        msg = f"plan {self._plan_id} has no base in the store"
        raise LookupError(msg)
