"""Write what an edit changed of a stored plan: those rows alone, in as many statements as ever. The caller commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Integer, Text, and_, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geodata.bulk import values_of
from geodata.plan_rows import heads_of, outlines_of
from geodata.tables import Assignment, Cell, CellAssignment, Grid, Group, Household, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from geopandas import GeoDataFrame
    from sqlalchemy.orm import Session

    from mapgrid.adjusting.changes import Changes
    from mapgrid.partition.plan import Plan as DomainPlan


def save_changes(
    session: Session, plan_id: int, village_code: str, plans: tuple[DomainPlan, DomainPlan], changes: Changes
) -> None:
    """Make a stored plan the second of two.

    Parameters
    ----------
    plans
        The plan as it is stored, and as it shall be.
    changes
        Between the two.

    Notes
    -----
    Grids and groups there will be are written first and those that are no more are deleted last, so that at no moment a
    cell or a household is in none.
    """
    before, after = plans
    touched = _touched(plans, changes)
    _save_grids(session, plan_id, village_code, after.grids[after.grids["grid"].isin(changes.grids)])
    former = set(before.cells["group"][before.cells["grid"].isin(touched)])
    groups = _save_groups(session, plan_id, village_code, after.households[after.households["grid"].isin(touched)])
    _save_cells(session, plan_id, village_code, after.cells, changes)
    _save_assignments(session, plan_id, village_code, after.households.iloc[changes.households])
    gone = [village_code + group for group in sorted(former - groups)]
    session.execute(delete(Group).where(Group.plan_id == plan_id, Group.code.in_(gone)))
    ended = [village_code + grid for grid in changes.ended]
    session.execute(delete(Grid).where(Grid.plan_id == plan_id, Grid.code.in_(ended)))
    save_scorecard(session, plan_id, after.figures.as_record())


def save_scorecard(session: Session, plan_id: int, scorecard: dict[str, Any]) -> None:
    """Set the figures of a stored plan."""
    session.execute(update(Plan).where(Plan.id == plan_id).values(scorecard=scorecard))


def delete_plan(session: Session, plan_id: int) -> None:
    """Delete a plan with its cells and all that was done with it."""
    of_plan = select(CellAssignment.cell_id).where(CellAssignment.plan_id == plan_id)
    cells = list(session.scalars(of_plan))
    session.execute(delete(Plan).where(Plan.id == plan_id))
    session.execute(delete(Cell).where(Cell.id == func.any(cast(cells, ARRAY(Integer)))))


def begin_assignments(session: Session, plan_id: int, starts_on: date) -> None:
    """Let the assignments of a plan begin on a day, and its households stand on its cells."""
    session.execute(update(Assignment).where(Assignment.plan_id == plan_id).values(starts_on=starts_on))


def end_assignments(session: Session, plan_id: int, ends_on: date) -> None:
    """Let the open assignments of a plan hold until the day before another."""
    is_open = and_(Assignment.plan_id == plan_id, Assignment.ends_on.is_(None))
    session.execute(update(Assignment).where(is_open).values(ends_on=ends_on))


def stand_on_cells(session: Session, plan_id: int, households: GeoDataFrame) -> None:
    """Let households, with the row of their `cell`, stand on the cells of a stored plan."""
    ids = _cell_ids(session, plan_id)
    pair = _pairs(households.index.tolist(), [ids[row] for row in households["cell"]], Text, Integer)
    session.execute(update(Household).where(Household.code == pair.c.one).values(cell_id=pair.c.other))


def _touched(plans: tuple[DomainPlan, DomainPlan], changes: Changes) -> set[str]:
    """Return the names of grids with a changed cell, before or after."""
    rows = changes.regrouped
    return {grid for plan in plans for grid in plan.cells["grid"].iloc[rows]}


def _save_grids(session: Session, plan_id: int, village_code: str, grids: GeoDataFrame) -> None:
    if grids.empty:
        return
    columns = {
        "code": [village_code + serial for serial in grids["grid"]],
        "households": values_of(grids, "weight"),
        "reason": values_of(grids, "reason"),
        "outline": [func.ST_GeomFromEWKB(func.decode(outline, "hex")) for outline in outlines_of(grids)],
    }
    rows = [
        dict(zip(columns, values, strict=True)) | {"plan_id": plan_id} for values in zip(*columns.values(), strict=True)
    ]
    made = upsert(Grid).values(rows)
    set_ = {name: made.excluded[name] for name in ("households", "reason", "outline")}
    session.execute(made.on_conflict_do_update(index_elements=[Grid.plan_id, Grid.code], set_=set_))


def _save_groups(session: Session, plan_id: int, village_code: str, households: GeoDataFrame) -> set[str]:
    """Make or change the groups of some households, and return their names."""
    if households.empty:
        return set()
    heads = {str(group): head for group, head in heads_of(households).items()}
    made = upsert(Group).values(
        [
            {
                "plan_id": plan_id,
                "code": village_code + group,
                "grid_code": village_code + group[:3],
                "head_household_code": head,
            }
            for group, head in heads.items()
        ]
    )
    set_ = {"head_household_code": made.excluded.head_household_code}
    session.execute(made.on_conflict_do_update(index_elements=[Group.plan_id, Group.code], set_=set_))
    return set(heads)


def _save_cells(session: Session, plan_id: int, village_code: str, cells: GeoDataFrame, changes: Changes) -> None:
    ids = _cell_ids(session, plan_id)
    if len(changes.redrawn):
        shapes = outlines_of(cells.iloc[changes.redrawn])
        pair = _pairs([ids[row] for row in changes.redrawn], shapes, Integer, Text)
        outline = func.ST_GeomFromEWKB(func.decode(pair.c.other, "hex"))
        session.execute(update(Cell).where(Cell.id == pair.c.one).values(outline=outline))
    if len(changes.regrouped):
        groups = [village_code + group for group in cells["group"].iloc[changes.regrouped]]
        pair = _pairs([ids[row] for row in changes.regrouped], groups, Integer, Text)
        is_it = and_(CellAssignment.plan_id == plan_id, CellAssignment.cell_id == pair.c.one)
        session.execute(update(CellAssignment).where(is_it).values(group_code=pair.c.other))


def _save_assignments(session: Session, plan_id: int, village_code: str, households: GeoDataFrame) -> None:
    if households.empty:
        return
    groups = [village_code + group for group in households["group"]]
    pair = _pairs(households.index.tolist(), groups, Text, Text)
    is_it = and_(Assignment.plan_id == plan_id, Assignment.household_code == pair.c.one)
    grid = func.left(pair.c.other, 15)
    session.execute(update(Assignment).where(is_it).values(grid_code=grid, group_code=pair.c.other))


def _cell_ids(session: Session, plan_id: int) -> list[int]:
    """Return the ids of a plan's cells in the order of its rows of `cells`: they were given in that order."""
    of_plan = select(CellAssignment.cell_id).where(CellAssignment.plan_id == plan_id)
    return list(session.scalars(of_plan.order_by(CellAssignment.cell_id)))


def _pairs(one: Sequence[Any], other: Sequence[Any], kind: type, other_kind: type) -> Any:  # noqa: ANN401  a table
    columns = func.unnest(cast(one, ARRAY(kind)), cast(other, ARRAY(other_kind)))
    return columns.table_valued("one", "other", name="pair").render_derived()
