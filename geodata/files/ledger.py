"""A ledger of households: columns recognised, cells checked, people told from households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.files import headers
from geodata.files.cells import (
    Cells,
    parse_code,
    parse_date,
    parse_gender,
    parse_reasons,
    parse_tier,
    parse_weight,
    text_of,
)
from mapgrid.crs import STORAGE_SRID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame

    from geodata.files.features import Reading
    from mapgrid.errors import Fault

ROLES = (
    "code", "weight", "unit", "address", "tier", "reasons", "tier_since", "head_name", "head_phone", "head_id_number",
    "head_gender", "relation", "person_name", "gender", "born_on",
)  # fmt: skip
_HEAD_WORDS = {"户主", "本人", "head", "本人或户主"}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The households of a file.

    Attributes
    ----------
    households
        Index = row of the file. `code` (18 digits; absent when the file has none), any of `weight`, `tier`, `reasons`,
        `tier_since`, `address`, `unit` (text as it stands), points in EPSG:4326.
    heads, members
        People, index = row of the household they belong to; columns as `geodata.households` saves them, without code.
    faults
        One or more per row that was left out.
    notes
        What was decided.
    """

    households: GeoDataFrame
    heads: pd.DataFrame
    members: pd.DataFrame
    faults: list[Fault]
    notes: list[str]


def recognise(names: Iterable[str], roles: Iterable[str], given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the column that plays each role, and a sentence for each choice that another reader might not make.

    A role given an empty name has no column.
    """
    columns, found, notes = [name for name in names if name != "geometry"], {}, []
    for role in roles:
        if role in given:
            wanted = headers.normalise(given[role])
            fitting = [name for name in columns if wanted and headers.normalise(name) == wanted]
        else:
            fitting = headers.columns_for(role, columns)
        if fitting:
            found[role] = fitting[0]
        if len(fitting) > 1:
            notes.append(
                f"{', '.join(fitting)} could all be the {role}: {fitting[0]} taken; --column {role}=… says other"
            )
    return found, notes


def read_ledger(reading: Reading, village_code: str, given: Mapping[str, str]) -> Ledger:
    """Return the households and people of a layer; each faulty row is named and left out."""
    roles, notes = recognise(reading.frame.columns, ROLES, given)
    if "code" in roles and all(text_of(cell) is None for cell in reading.frame[roles["code"]]):
        notes.append(f"{roles.pop('code')} is empty: households are numbered")
    used = {*roles.values(), *reading.frame.attrs["coordinates"], "geometry"}
    ignored = [name for name in reading.frame.columns if name not in used]
    cells = Cells(reading.frame, roles)
    frame = _points(cells)
    for role, parse in (
        ("code", parse_code(village_code)), ("weight", parse_weight), ("tier", parse_tier),
        ("reasons", parse_reasons), ("tier_since", parse_date),
    ):  # fmt: skip
        if role in roles:
            frame[role] = pd.Series(cells.parse(role, parse), index=frame.index, dtype=object)
    for role in ("address", "unit"):
        if role in roles:
            frame[role] = pd.Series(cells.texts(role), index=frame.index, dtype=object)
    people = _people(cells)
    _fill_defaults(frame)
    if "code" in roles:
        _check_codes(frame, people, cells)
    faulty = {fault.row for fault in cells.faults}
    kept = ~frame.index.isin(faulty)
    sound, heads, members = _split_people(frame[kept], people[kept])
    heads = heads.drop(columns=people.attrs["absent"])
    attrs = reading.frame.attrs
    sound.attrs = {
        "file": attrs["file"],
        "layer": attrs["layer"],
        "place": ", ".join(attrs["coordinates"]) or "geometry",
    }
    if ignored:
        notes.append(f"columns not used: {', '.join(ignored[:20])}")
    return Ledger(sound, heads, members, cells.faults, notes)


def _points(cells: Cells) -> GeoDataFrame:
    shapes = cells.frame.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    single = (kinds == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(shapes) == 1)
    areas = np.isin(kinds, [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON])
    known = (kinds == shapely.GeometryType.POINT) | single | areas
    for row, shape in zip(cells.frame.index[~known], shapes[~known], strict=True):
        cells.fault(row, "a point, or the outline of a house", f"a {shape.geom_type}", role="geometry")
    points = shapes.copy()
    points[areas] = shapely.point_on_surface(shapes[areas])
    points[single] = shapely.get_geometry(shapes[single], 0)
    return gpd.GeoDataFrame(index=cells.frame.index, geometry=points, crs=STORAGE_SRID)


def _fill_defaults(frame: GeoDataFrame) -> None:
    if "weight" in frame:
        frame["weight"] = frame["weight"].where(frame["weight"].notna(), 1)
    if "tier" in frame:
        frame["tier"] = frame["tier"].where(frame["tier"].notna(), "unknown")
    if "reasons" in frame:
        frame["reasons"] = pd.Series([cell or [] for cell in frame["reasons"]], index=frame.index, dtype=object)


def _people(cells: Cells) -> pd.DataFrame:
    """Return one person per row: the named head, or in a ledger with a row per person that person."""
    per_person = {"person_name", "relation", "code"} <= cells.roles.keys()
    gender = "gender" if per_person else "head_gender"
    columns = {
        "full_name": cells.texts("person_name" if per_person else "head_name"),
        "relation": cells.texts("relation") if per_person else ["户主"] * len(cells.frame),
        "gender": cells.parse(gender, parse_gender),
        "born_on": cells.parse("born_on", parse_date),
        "phone": cells.texts("head_phone"),
        "id_number": cells.texts("head_id_number"),
    }
    people = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    people.index = cells.frame.index
    people["is_head"] = people["relation"].isin(_HEAD_WORDS)
    people.attrs["per_person"] = per_person
    roles = {"gender": gender, "born_on": "born_on", "phone": "head_phone", "id_number": "head_id_number"}
    people.attrs["absent"] = [name for name, role in roles.items() if role not in cells.roles]
    return people


def _check_codes(frame: GeoDataFrame, people: pd.DataFrame, cells: Cells) -> None:
    """Name each row without a code and each code that comes twice, unless the rows are people of one household."""
    already = {fault.row for fault in cells.faults}
    for row in frame.index[frame["code"].isna()]:
        if row not in already:
            cells.fault(row, "a household code", "an empty cell", role="code")
    if people.attrs["per_person"]:
        return
    first = frame.reset_index().groupby("code", sort=False)["row"].transform("first").to_numpy()
    for row, original, code in zip(frame.index, first, frame["code"], strict=True):
        if code is not None and row != original:
            cells.fault(row, "each household once", f"{code} again, first in row {int(original)}", role="code")


def _split_people(frame: GeoDataFrame, people: pd.DataFrame) -> tuple[GeoDataFrame, pd.DataFrame, pd.DataFrame]:
    """Return households (one row each), their heads, and the other people under the row of their household."""
    if not people.attrs["per_person"]:
        return frame, people[people["full_name"].notna()], people.iloc[:0]
    # Of the rows of one household the head's is the household's own; without a head, the first.
    order = pd.DataFrame({"code": frame["code"], "later": ~people["is_head"]}).reset_index()
    home = order.sort_values(["later", "row"]).groupby("code", sort=False)["row"].transform("first")
    own = pd.Series(home.sort_index().to_numpy(), index=frame.index)
    leads = own.index == own
    named = people["full_name"].notna()
    members = people[~leads & named].assign(phone=None, id_number=None)
    members.index = pd.Index(own[~leads & named].to_numpy(), name="row")
    return frame[leads], people[leads & named], members
