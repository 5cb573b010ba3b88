"""Edit a draft: lock, check the version, compute, write, all in one transaction. The caller commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geodata import audit
from geodata.bulk import multipart
from geodata.plan_changes import save_changes
from geodata.plan_edits import add_to_log, load_plan, lock_plan
from geodata.plan_snapshots import BASE, drop_snapshots, save_snapshot
from mapgrid.adjust import apply, as_record, from_record
from mapgrid.adjusting.changes import changes_between
from mapgrid.adjusting.edits import KIND
from mapgrid.adjusting.log import REDO, UNDO
from mapgrid.coverage import TOLERANCE
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import CoverageError
from mapgrid.plans import check_draft
from mapgrid.roles import Permission
from web.actions.plan_access import author_of, check_version, find_plan
from web.actions.plan_drafts import reasons_of
from web.actions.plan_records import as_meant, plan_record
from web.actions.plan_shelf import PlanHistory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from geodata.plans import PlanRecord
    from mapgrid.adjusting.changes import Changes
    from mapgrid.adjusting.log import InForce
    from mapgrid.partition.plan import Plan
    from mapgrid.roles import Actor
    from web.actions.plan_shelf import PlanShelf

_KEPT_EVERY = 8
"""Of how many edits in force one keeps its plan for good: an undo never has to make more than those again."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A draft after an edit, with what a map has to draw anew.

    Attributes
    ----------
    plan
        Its record, at its new version.
    grids
        Those that are not as they were: `GRID_COLUMNS`, EPSG:4326.
    ended
        Codes of grids that are no more.
    households
        Code, grid and group of each household that changed one of them.
    warnings
        Why changed grids are outside the limits.
    """

    plan: dict[str, Any]
    grids: GeoDataFrame
    ended: list[str]
    households: list[dict[str, str]]
    warnings: list[dict[str, Any]]


def edit_plan(
    session: Session,
    shelf: PlanShelf,
    actor: Actor,
    plan_id: int,
    asked: Mapping[str, Any],
    *,
    version: int,
) -> Edited:
    """Make an edit, or take one back, in the version of a draft that was looked at.

    Parameters
    ----------
    asked
        An edit as the API says it: grids by code, households by code, corners in degrees.

    Raises
    ------
    NotFoundError, StaleVersionError
        If there is no such plan, or it is at another version.
    PlanStateError
        If it is not a draft.
    EditRefusedError
        If the edit would break the plan, or cannot be read.
    """
    find_plan(session, actor, Permission.DRAW, plan_id)
    stored = lock_plan(session, plan_id)
    history = PlanHistory(session, shelf, plan_id)
    check_version(stored, version)
    check_draft(stored.state)
    was = history.in_force
    before = history.plan_after(was.done)
    record = _meant(asked, stored.village_code, before)
    now = was.after(version + 1, record)
    after = history.plan_after(now.done) if record[KIND] in {UNDO, REDO} else apply(before, from_record(record)).plan
    check_true(after)
    changes = changes_between(before, after)
    save_changes(session, plan_id, stored.village_code, (before, after), changes)
    add_to_log(session, stored, record, author_of(actor))
    audit.record(session, "plan.edit", str(plan_id), area=stored.village_code, edit=record[KIND], version=version + 1)
    _keep(session, shelf, stored, history, (was, now), (record, after))
    return _edited(load_plan(session, plan_id), after, changes)


def check_true(plan: Plan) -> None:
    """Raise `CoverageError` unless the grids of a plan tile its village: the last look before it is stored.

    Edits keep the coverage by construction; this is for the day on which one of them has a fault.
    """
    card = plan.figures
    allowed_m2 = TOLERANCE * plan.division.village.geometry.iloc[0].area
    found = {"gaps": card.gap_m2, "overlaps": card.overlap_m2, "land outside": card.outside_m2}
    for what, area_m2 in found.items():
        if area_m2 > allowed_m2:
            msg = f"expected grids that tile the village, found {what} of {area_m2:.3f} m2; nothing was stored"
            raise CoverageError(msg)


def _meant(asked: Mapping[str, Any], village_code: str, plan: Plan) -> dict[str, Any]:
    """Return the record for the log: of an edit in its one form, whatever way it was written."""
    if asked in ({KIND: UNDO}, {KIND: REDO}):
        return dict(asked)
    return as_record(from_record(as_meant(asked, village_code, plan)))


def _keep(
    session: Session,
    shelf: PlanShelf,
    stored: PlanRecord,
    history: PlanHistory,
    counts: tuple[InForce, InForce],
    made: tuple[Mapping[str, Any], Plan],
) -> None:
    """Keep the plan there is now in the store, so that nobody has to make edits again to read it."""
    was, now = counts
    record, plan = made
    last = now.done[-1] if now.done else BASE
    mark = history.chain(now.done, {stored.version + 1: record})[-1]
    save_snapshot(session, stored.id, stored.village_code, last, plan, mark=mark)
    shelf.keep(mark, plan)
    if was.done and was.done[-1] != last and len(was.done) % _KEPT_EVERY:
        drop_snapshots(session, stored.id, [was.done[-1]])


def _edited(stored: PlanRecord, plan: Plan, changes: Changes) -> Edited:
    code = stored.village_code
    rows = plan.grids[plan.grids["grid"].isin(changes.grids)].to_crs(STORAGE_SRID)
    shapes = [multipart(shape) for shape in rows.geometry]  # as the store has them, and whoever asks for the whole plan
    rows = rows.set_geometry(shapes, crs=STORAGE_SRID)
    grids = rows.assign(code=code + rows["grid"], households=rows["weight"], locked=rows["grid"].isin(plan.locked))
    moved = plan.households.iloc[changes.households]
    households = [
        {"code": household, "grid": code + grid, "group": code + group}
        for household, grid, group in zip(moved.index, moved["grid"], moved["group"], strict=True)
    ]
    return Edited(
        plan_record(stored),
        grids,
        [code + grid for grid in changes.ended],
        households,
        reasons_of(plan, code, changes.grids),
    )
