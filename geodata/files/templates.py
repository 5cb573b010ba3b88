"""Tables and layers to fill in: the columns that an import knows, and nothing to be unlearned."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADVICE = (
    "每户一行，从第 3 行起填写。必填：经度、纬度（小数度，CGCS2000/WGS84；高德、腾讯坐标导入时注明 gcj02，"
    "百度注明 bd09）。户号填 18 位编码或 1–999999 的顺序号；没有户号就整列空着。  "
    "One household per row, from row 3; longitude and latitude are needed."
)
_COLUMNS = (
    "户号",
    "户主姓名",
    "户主联系方式",
    "户主身份证",
    "村民小组",
    "住址",
    "户数",
    "三色等级",
    "定级原因",
    "经度",
    "纬度",
)
_TEXT_COLUMNS = {"户号", "户主联系方式", "户主身份证"}  # digits that a number cell would cut
_ROWS_PREPARED = 2000


def household_template() -> bytes:
    """Return an XLSX for the households of one village: advice in row 1, the header in row 2."""
    book = Workbook()
    sheet = book.active or book.create_sheet()
    sheet.title = "住户"
    sheet.append([_ADVICE])
    sheet.append(list(_COLUMNS))
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(_COLUMNS))
    sheet["A1"].alignment = Alignment(wrap_text=True, vertical="top")
    sheet.row_dimensions[1].height = 64
    sheet.freeze_panes = "A3"
    for number, name in enumerate(_COLUMNS, start=1):
        letter = get_column_letter(number)
        sheet[f"{letter}2"].font = Font(bold=True)
        sheet.column_dimensions[letter].width = 14
        if name in _TEXT_COLUMNS:
            for row in range(3, _ROWS_PREPARED + 3):
                sheet[f"{letter}{row}"].number_format = "@"
    tiers = DataValidation(type="list", formula1='"红,黄,绿"', allow_blank=True)
    letter = get_column_letter(_COLUMNS.index("三色等级") + 1)
    tiers.add(f"{letter}3:{letter}{_ROWS_PREPARED + 2}")
    sheet.add_data_validation(tiers)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def layer_template(columns: Sequence[str], kind: str, name: str) -> bytes:
    """Return a GeoPackage with one empty layer of text columns, EPSG:4490, for a planner's own program to draw in.

    Parameters
    ----------
    kind
        What is drawn: `MultiPolygon` or `MultiLineString`.
    name
        Of the layer.
    """
    empty = gpd.GeoDataFrame({column: pd.Series(dtype=str) for column in columns}, geometry=[], crs="EPSG:4490")
    with TemporaryDirectory(prefix="mapgrid-") as folder:
        target = Path(folder) / "template.gpkg"
        empty.to_file(target, layer=name, driver="GPKG", engine="pyogrio", geometry_type=kind)
        return target.read_bytes()
