"""Districts, towns and villages with their boundaries, units and terrain: loaded and saved.

Frames are EPSG:4326, x = longitude. The caller commits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoalchemy2.shape import from_shape
from sqlalchemy import and_, delete, exists, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geodata.bulk import Saved, ewkb_of, incoming, multipart, read_frame, rows_written, values_of
from geodata.tables import Area, Terrain, Unit
from mapgrid.codes import check_village_code, level_of, parent_of
from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geopandas import GeoDataFrame
    from shapely import MultiPolygon, Polygon
    from sqlalchemy.orm import Session

    from mapgrid.terrain import TerrainKind


def load_areas(session: Session) -> GeoDataFrame:
    """Return all areas ordered by code.

    Columns: `code`, `parent_code`, `level`, `name`, `name_en`, `source`, `is_demo`, `geometry` (the boundary of a
    village, None for a district or town and for a village without one).
    """
    return read_frame(
        session,
        select(
            Area.code, Area.parent_code, Area.level, Area.name, Area.name_en, Area.source, Area.is_demo,
            func.ST_AsBinary(Area.boundary).label("boundary"),
        ).order_by(Area.code),
    )  # fmt: skip


def load_area_names(session: Session, codes: Sequence[str], *, language: str) -> dict[str, str]:
    """Return the names of areas by code in a language, `zh` or `en`; a grid is its village and its own three digits."""
    wanted = {code[:12] for code in codes}
    name = Area.name if language == "zh" else func.coalesce(Area.name_en, Area.name).label("name")
    rows = session.execute(select(Area.code, name).where(Area.code.in_(wanted))).all()
    names = {row.code: row.name for row in rows}
    return {code: f"{names[code[:12]]} {code[12:]}".strip() for code in codes if code[:12] in names}


def load_village(session: Session, code: str) -> GeoDataFrame:
    """Return one village as one row: `code`, `name`, `name_en`, `geometry` (MultiPolygon, its boundary).

    Raises
    ------
    NotFoundError
        If there is no such village, or it has no boundary yet.
    """
    check_village_code(code)
    village = read_frame(
        session,
        select(Area.code, Area.name, Area.name_en, func.ST_AsBinary(Area.boundary).label("boundary")).where(
            Area.code == code
        ),
    )
    if village.empty or village.geometry.isna().all():
        what = "no boundary of village" if len(village) else "no village"
        msg = f"{what} {code} in the store; import it: mapgrid import village FILE --code {code}"
        raise NotFoundError(msg)
    return village


def load_boundaries_at(session: Session, points: GeoDataFrame) -> GeoDataFrame:
    """Return `code`, `name` and boundary of the villages whose box meets the box of some points."""
    west, south, east, north = points.total_bounds.tolist()
    box = func.ST_MakeEnvelope(west, south, east, north, STORAGE_SRID)
    columns = (Area.code, Area.name, func.ST_AsBinary(Area.boundary).label("boundary"))
    return read_frame(session, select(*columns).where(Area.boundary.op("&&")(box)).order_by(Area.code))


def lock_village(session: Session, code: str) -> None:
    """Make other writers of a village wait until this transaction ends.

    Raises
    ------
    NotFoundError
        If there is no such village.
    """
    check_village_code(code)
    if session.execute(select(Area.code).where(Area.code == code).with_for_update(key_share=True)).first() is None:
        msg = f"no village {code} in the store; import it: mapgrid import village FILE --code {code}"
        raise NotFoundError(msg)


def is_area(session: Session, code: str) -> bool:
    """Say whether an area is in the store."""
    return session.scalar(select(Area.code).where(Area.code == code)) is not None


def save_area(
    session: Session,
    code: str,
    *,
    name: str | None = None,
    name_en: str | None = None,
    source: str | None = None,
    is_demo: bool = False,
) -> bool:
    """Make an area with the areas above it, or change what is given of one that is there; return whether it did.

    An area that nobody has named yet is called by its code.
    """
    above = parent_of(code)
    if above is not None and not is_area(session, above):  # who imports villages need not have a say in their district
        save_area(session, above, is_demo=is_demo)
    given = {"name": name, "name_en": name_en, "source": source}
    changes = {column: value for column, value in given.items() if value is not None}
    made = {"code": code, "parent_code": above, "level": level_of(code), "name": code, "is_demo": is_demo} | changes
    statement = upsert(Area).values(**made)
    if not changes:
        return bool(rows_written(session, statement.on_conflict_do_nothing()))
    differs = or_(*(getattr(Area, column).is_distinct_from(value) for column, value in changes.items()))
    merged = statement.on_conflict_do_update(index_elements=[Area.code], set_=changes, where=differs)
    return bool(rows_written(session, merged))


def save_boundary(session: Session, code: str, boundary: Polygon | MultiPolygon, *, source: str | None = None) -> bool:
    """Set the boundary of a village (EPSG:4326, valid) and return whether that changed anything."""
    lock_village(session, code)
    shape = from_shape(multipart(boundary).normalize(), srid=STORAGE_SRID)
    changed = session.execute(
        update(Area)
        .where(Area.code == code, Area.boundary.is_distinct_from(shape))
        .values({"boundary": shape} | ({"source": source} if source else {}))
        .returning(Area.code)
    ).all()
    return bool(changed)


def load_units(session: Session, village_code: str) -> GeoDataFrame:
    """Return the units of a village ordered by code: `code`, `name`, `geometry` (None without an outline)."""
    return read_frame(
        session,
        select(Unit.code, Unit.name, func.ST_AsBinary(Unit.outline).label("outline"))
        .where(Unit.village_code == village_code)
        .order_by(Unit.code),
    )


def save_units(session: Session, village_code: str, units: GeoDataFrame) -> Saved:
    """Make or change units by code and return what that did.

    Parameters
    ----------
    units
        Columns `code` (14 digits), `name`, and polygons in EPSG:4326; None keeps the outline that is there.
    """
    lock_village(session, village_code)
    outlines = [None if shape is None else multipart(shape) for shape in units.geometry]
    columns = {
        "code": values_of(units, "code"),
        "village_code": [village_code] * len(units),
        "name": values_of(units, "name"),
        "outline": ewkb_of(units.set_geometry(outlines, crs=STORAGE_SRID)),
    }
    with incoming(session, Unit, columns) as rows:
        made = upsert(Unit).from_select(list(columns), select(*(rows.c[name] for name in columns)))
        new = made.excluded
        outline = func.coalesce(new.outline, Unit.outline)
        written: Sequence[bool] = session.execute(
            made.on_conflict_do_update(
                index_elements=[Unit.code],
                set_={"name": new.name, "outline": outline},
                where=or_(Unit.name.is_distinct_from(new.name), Unit.outline.is_distinct_from(outline)),
            ).returning(literal_column("xmax = 0"))  # true for a row that was not there
        ).scalars().all()  # fmt: skip
    return Saved(sum(written), len(written) - sum(written), len(units) - len(written))


def load_terrain(session: Session, village_code: str, kinds: Iterable[TerrainKind] | None = None) -> GeoDataFrame:
    """Return the terrain of a village: `kind`, `name`, `detail`, `is_barrier`, `is_preferred`, `geometry`."""
    query = select(
        Terrain.kind, Terrain.name, Terrain.detail, Terrain.is_barrier, Terrain.is_preferred,
        func.ST_AsBinary(Terrain.shape).label("shape"),
    ).where(Terrain.village_code == village_code)  # fmt: skip
    if kinds is not None:
        query = query.where(Terrain.kind.in_(list(kinds)))
    return read_frame(session, query.order_by(Terrain.id))


def save_terrain(session: Session, village_code: str, terrain: GeoDataFrame) -> Saved:
    """Replace the terrain of a village, for each kind that the frame has, and return what that did.

    What is there already stays as it is.

    Parameters
    ----------
    terrain
        Columns `kind`, optionally `name`, `detail`, `is_barrier`, `is_preferred`, and shapes in EPSG:4326.
    """
    lock_village(session, village_code)
    empty = [None] * len(terrain)
    columns = {
        "village_code": [village_code] * len(terrain),
        "kind": [str(kind) for kind in terrain["kind"]],
        "name": values_of(terrain, "name") if "name" in terrain else empty,
        "detail": values_of(terrain, "detail") if "detail" in terrain else empty,
        "is_barrier": values_of(terrain, "is_barrier") if "is_barrier" in terrain else [False] * len(terrain),
        "is_preferred": values_of(terrain, "is_preferred") if "is_preferred" in terrain else [False] * len(terrain),
        "shape": ewkb_of(terrain),
    }
    with incoming(session, Terrain, columns) as rows:
        same = and_(*(getattr(Terrain, name).is_not_distinct_from(rows.c[name]) for name in columns))
        kinds = select(rows.c.kind).distinct()
        removed = rows_written(
            session,
            delete(Terrain).where(
                Terrain.village_code == village_code, Terrain.kind.in_(kinds), ~exists().where(same).correlate(Terrain)
            ),
        )
        missing = select(*(rows.c[name] for name in columns)).where(~exists().where(same).correlate(rows)).distinct()
        added = rows_written(session, insert(Terrain).from_select(list(columns), missing))
    return Saved(added, 0, len(terrain) - added, removed)
