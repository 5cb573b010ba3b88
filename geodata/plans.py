"""Plans of a village: saved whole, loaded as frames. Frames are EPSG:4326, x = longitude; the caller commits.

A plan is stored as an assignment of land cells and households to grids and groups; a grid's outline is kept beside it,
a group's is the union of its cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import ARRAY, Integer, Text, and_, cast, column, func, insert, or_, select, table, text, update

from geodata.bulk import copy_rows, multipart, read_frame, values_of
from geodata.plan_rows import heads_of, outlines_of
from geodata.plan_snapshots import BASE, save_snapshot
from geodata.tables import Assignment, Cell, CellAssignment, Grid, Group, Household, Plan
from geodata.villages import lock_village
from mapgrid.crs import STORAGE_SRID
from mapgrid.partition.plan import Plan as DomainPlan
from mapgrid.plans import PlanState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from geopandas import GeoDataFrame
    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.orm import Session


class Scorecard(Protocol):
    """The figures of a division."""

    def as_record(self) -> dict[str, Any]:
        """Return them as plain JSON values."""


class Division(Protocol):
    """What there is to store of a division; `mapgrid.partition.Plan` is one.

    All frames are in the village's metric CRS. `grids`: `grid` (three digits), `weight`, `reason`, polygons. `cells`:
    `grid`, `group` (five digits), polygons that tile the village. `households`: indexed by 18-digit code, `grid`,
    `group`, `cell` (a label of `cells`), points; `grid` is None for a household that no grid could take.
    """

    @property
    def grids(self) -> GeoDataFrame:
        """Return one row per grid."""

    @property
    def cells(self) -> GeoDataFrame:
        """Return one row per piece of land."""

    @property
    def households(self) -> GeoDataFrame:
        """Return one row per household."""

    @property
    def scorecard(self) -> Scorecard:
        """Return the figures."""


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """What the store knows of a plan besides its geometry.

    Attributes
    ----------
    starts_on, ends_on
        In force from the first day until the day before the second; None while it is open.
    parameters, scorecard
        What it was made from, and its figures (see `mapgrid.partition`).
    made_at
        When it was saved.
    version
        How often it was changed since; see `geodata.plan_edits`.
    base_plan_id
        The plan that was published when this one was begun, None when there was none.
    """

    id: int
    village_code: str
    name: str
    state: PlanState
    starts_on: date | None
    ends_on: date | None
    parameters: Mapping[str, Any]
    scorecard: Mapping[str, Any]
    made_at: datetime
    version: int
    base_plan_id: int | None


PLAN_COLUMNS = tuple(getattr(Plan, name) for name in PlanRecord.__dataclass_fields__)
"""The columns of `plan` that make a `PlanRecord`."""


def save_plan(
    session: Session,
    village_code: str,
    plan: Division,
    *,
    name: str,
    state: PlanState,
    starts_on: date | None,
    parameters: Mapping[str, Any],
) -> int:
    """Store a division of a village and return its plan id.

    Parameters
    ----------
    plan
        Its households are in the store already; they stand on its cells as soon as the plan is published.
    name
        Unique in the village.
    parameters
        What the plan was made from; plain JSON values.

    Notes
    -----
    A plan of `mapgrid.partition` is also kept to the last bit, for edits. What is published now becomes its base.
    Vertices go to EPSG:4326 one by one, so that edges that matched in metres still match. A fixed number of statements,
    whatever the size of the village.
    """
    lock_village(session, village_code)
    plan_id: int = session.execute(
        insert(Plan)
        .values(
            village_code=village_code,
            name=name,
            state=state,
            starts_on=starts_on,
            parameters=dict(parameters),
            scorecard=plan.scorecard.as_record(),
            base_plan_id=select(Plan.id).where(*_is_published(village_code)).scalar_subquery(),
        )
        .returning(Plan.id)
    ).scalar_one()
    households = plan.households[plan.households["grid"].notna()]
    _save_grids(session, plan_id, village_code, plan.grids)
    _save_groups(session, plan_id, village_code, households)
    cell_ids = _save_cells(session, plan_id, village_code, plan.cells)
    _save_assignments(session, plan_id, village_code, households, starts_on)
    if state is PlanState.PUBLISHED:
        _stand_on_cells(session, households, cell_ids)
    if isinstance(plan, DomainPlan):
        save_snapshot(session, plan_id, village_code, BASE, plan)
    return plan_id


def load_current_plan(session: Session, village_code: str, on: date) -> PlanRecord | None:
    """Return the plan that is in force in a village on a day, or None."""
    query = select(*PLAN_COLUMNS).where(Plan.village_code == village_code, is_in_force(on))
    row = session.execute(query.order_by(Plan.starts_on.desc()).limit(1)).one_or_none()
    return None if row is None else plan_record(row)


def load_published(session: Session, village_code: str) -> PlanRecord | None:
    """Return the plan of a village that was published last, whether or not its first day has come; None without one."""
    return _load_one(session, *_is_published(village_code))


def plan_record(row: Row[Any]) -> PlanRecord:
    """Return what a row of `PLAN_COLUMNS` says."""
    return PlanRecord(**(row._asdict() | {"state": PlanState(row.state)}))


def load_plan_named(session: Session, village_code: str, name: str) -> PlanRecord | None:
    """Return the plan of a village that has a name, or None."""
    return _load_one(session, Plan.village_code == village_code, Plan.name == name)


def load_used_codes(session: Session, village_code: str) -> frozenset[str]:
    """Return the codes of all grids that any plan of a village has or had: a later grid never gets one of them."""
    query = select(Grid.code).join(Plan, Plan.id == Grid.plan_id).where(Plan.village_code == village_code)
    return frozenset(session.execute(query.distinct()).scalars())


def is_in_force(on: date) -> ColumnElement[bool]:
    """Return the condition under which a row of `plan` is in force on a day; at most one is in each village."""
    was_published = Plan.state.in_([PlanState.PUBLISHED, PlanState.SUPERSEDED])
    return and_(was_published, Plan.starts_on <= on, or_(Plan.ends_on.is_(None), Plan.ends_on > on))


def load_grids(session: Session, plan_id: int) -> GeoDataFrame:
    """Return the grids of a plan by code: `code` (15 digits), `kind`, `households`, `reason`, `geometry`."""
    columns = (Grid.code, Grid.kind, Grid.households, Grid.reason, func.ST_AsBinary(Grid.outline).label("outline"))
    return read_frame(session, select(*columns).where(Grid.plan_id == plan_id).order_by(Grid.code))


def load_cells(session: Session, plan_id: int) -> GeoDataFrame:
    """Return the land cells of a plan by id: `id`, `group` (17 digits), `geometry`."""
    columns = (Cell.id, CellAssignment.group_code.label("group"), func.ST_AsBinary(Cell.outline).label("outline"))
    query = select(*columns).join(CellAssignment, CellAssignment.cell_id == Cell.id)
    return read_frame(session, query.where(CellAssignment.plan_id == plan_id).order_by(Cell.id))


def load_groups(session: Session, plan_id: int) -> GeoDataFrame:
    """Return the ten-household groups of a plan by code.

    Columns: `code` (17 digits), `grid` (15 digits), `head` (household code or None), `households` (sum of weights),
    `geometry` (union of the group's cells).
    """
    households = func.coalesce(_GROUPS.c.households, 0).label("households")
    rows = session.execute(
        select(Group.code, Group.grid_code.label("grid"), Group.head_household_code.label("head"), households)
        .outerjoin(_GROUPS, and_(_GROUPS.c.plan_id == Group.plan_id, _GROUPS.c.group_code == Group.code))
        .where(Group.plan_id == plan_id)
        .order_by(Group.code)
    ).all()
    cells = load_cells(session, plan_id)
    parts = cells.geometry.to_numpy().take
    outline = {code: shapely.coverage_union_all(parts(at)) for code, at in cells.groupby("group").indices.items()}
    shapes = np.array([multipart(outline.get(row.code, shapely.MultiPolygon())) for row in rows], dtype=object)
    records = [(row.code, row.grid, row.head, int(row.households)) for row in rows]
    columns = ["code", "grid", "head", "households"]
    return gpd.GeoDataFrame.from_records(records, columns=columns).set_geometry(shapes, crs=STORAGE_SRID)


def load_assignments(session: Session, plan_id: int) -> pd.DataFrame:
    """Return where each household stands in a plan, indexed by household code: `grid`, `group`."""
    rows = session.execute(
        select(Assignment.household_code, Assignment.grid_code, Assignment.group_code)
        .where(Assignment.plan_id == plan_id)
        .order_by(Assignment.household_code)
    ).all()
    return pd.DataFrame(
        {"grid": [row.grid_code for row in rows], "group": [row.group_code for row in rows]},
        index=pd.Index([row.household_code for row in rows], name="household"),
        dtype=object,
    )


def _load_one(session: Session, *conditions: ColumnElement[bool]) -> PlanRecord | None:
    row = session.execute(select(*PLAN_COLUMNS).where(*conditions)).one_or_none()
    return None if row is None else plan_record(row)


def _is_published(village_code: str) -> tuple[ColumnElement[bool], ...]:
    return Plan.village_code == village_code, Plan.state == PlanState.PUBLISHED


_GROUPS = table("group_tally", column("plan_id"), column("group_code"), column("households"))


def _save_grids(session: Session, plan_id: int, village_code: str, grids: GeoDataFrame) -> None:
    columns = {
        "plan_id": [plan_id] * len(grids),
        "code": [village_code + serial for serial in grids["grid"]],
        "households": values_of(grids, "weight"),
        "reason": values_of(grids, "reason"),
        "outline": outlines_of(grids),
    }
    copy_rows(session, Grid, columns)


def _save_groups(session: Session, plan_id: int, village_code: str, households: GeoDataFrame) -> None:
    heads = heads_of(households)
    columns: dict[str, list[Any]] = {
        "plan_id": [plan_id] * len(heads),
        "code": [village_code + group for group in heads.index],
        "grid_code": [village_code + group[:3] for group in heads.index],
        "head_household_code": heads.tolist(),
    }
    copy_rows(session, Group, columns)


def _save_cells(session: Session, plan_id: int, village_code: str, cells: GeoDataFrame) -> dict[Any, int]:
    """Store the cells of a plan with their groups and return their ids by index label."""
    ids = _reserve_cell_ids(session, len(cells))
    columns: dict[str, list[Any]] = {
        "id": ids,
        "village_code": [village_code] * len(cells),
        "outline": outlines_of(cells),
    }
    copy_rows(session, Cell, columns)
    groups = [village_code + group for group in cells["group"]]
    copy_rows(session, CellAssignment, {"plan_id": [plan_id] * len(cells), "cell_id": ids, "group_code": groups})
    return dict(zip(cells.index, ids, strict=True))


def _save_assignments(
    session: Session, plan_id: int, village_code: str, households: GeoDataFrame, starts_on: date | None
) -> None:
    columns = {
        "plan_id": [plan_id] * len(households),
        "household_code": households.index.tolist(),
        "grid_code": [village_code + grid for grid in households["grid"]],
        "group_code": [village_code + group for group in households["group"]],
        "starts_on": [starts_on] * len(households),
    }
    copy_rows(session, Assignment, columns)


def _stand_on_cells(session: Session, households: GeoDataFrame, cell_ids: Mapping[Any, int]) -> None:
    codes = cast(households.index.tolist(), ARRAY(Text))
    cells = cast([cell_ids[cell] for cell in households["cell"]], ARRAY(Integer))
    pair = func.unnest(codes, cells).table_valued("code", "cell_id", name="pair").render_derived()
    session.execute(update(Household).where(Household.code == pair.c.code).values(cell_id=pair.c.cell_id))


def _reserve_cell_ids(session: Session, count: int) -> list[int]:
    """Return ids that no other cell will get: COPY cannot tell which id went to which row."""
    statement = text("SELECT nextval(pg_get_serial_sequence('cell', 'id')) FROM generate_series(1, :count)")
    return list(session.execute(statement, {"count": count}).scalars())
