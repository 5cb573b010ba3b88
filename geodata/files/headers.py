"""The names planners give their columns, and the row of a table that holds them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROWS_SEARCHED = 20

SYNONYMS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        role: frozenset(names.split())
        for role, names in {
            "x": """
                lon lng long longitude 经度 东经 经度坐标 坐标经度 中心点经度 wgs84lon lonwgs84 gpslon x x坐标
                坐标x 横坐标 横坐标y coordx xcoord pointx easting 东坐标
            """,
            "y": """
                lat latitude 纬度 北纬 纬度坐标 坐标纬度 中心点纬度 wgs84lat latwgs84 gpslat y y坐标
                坐标y 纵坐标 纵坐标x coordy ycoord pointy northing 北坐标
            """,
            "code": "code 户号 户编号 户编码 户代码 户籍号 家庭编号 门牌编码 householdcode household",
            "weight": "weight 权重 户数 总户数 households householdcount",
            "unit": "unit 村民小组 小组 组别 村组 组名 所属小组 自然村 楼栋 楼栋号 栋号 villagegroup unitname",
            "address": "address addr 住址 地址 家庭住址 居住地址 现住址 详细地址 户籍地址 门牌地址",
            "tier": "tier 三色等级 三色 三色分类 等级 风险等级 颜色",
            "reasons": "reasons reason 原因 定级原因 等级原因 风险原因",
            "tier_since": "tiersince 定级日期 等级日期",
            "head_name": "headname head 户主姓名 户主 户主名称 户主名字",
            "head_phone": "headphone phone 户主联系方式 户主电话 联系方式 联系电话 电话 手机 手机号 手机号码",
            "head_id_number": "headidnumber 户主身份证 户主身份证号 户主身份证号码 身份证 身份证号 身份证号码",
            "head_gender": "headgender 户主性别",
            "relation": "relation 与户主关系 关系",
            "person_name": "personname 姓名 成员姓名",
            "gender": "gender 性别",
            "born_on": "bornon 出生日期 出生年月日 生日",
            "area_code": """
                villagecode villcode zldwdm xzqdm xzqhdm 行政区代码 坐落单位代码 村代码 行政村代码 区划代码
            """,
            "area_name": """
                villagename villname zldwmc xzqmc 行政区名称 坐落单位名称 村名 村名称 行政村 行政村名称 name 名称
            """,
            "grid_code": "gridcode grid gridid wgbm wgdm 网格编码 网格代码 网格编号 网格号 网格 code 编码 编号",
            "name": "name title unit unitname 名称 组名 村民小组 小组名称 楼栋 楼栋名称",
            "kind": "kind fclass 类型 种类",
        }.items()
    }
)
"""Column names by role, as `normalise` returns them."""

_NOISE = re.compile(r"[\s_\-.:：*#/]+")
_REMARK = re.compile(r"[(\[【].*?[)\]】]")


def normalise(header: object) -> str:
    """Return a column name without case, width, spaces, punctuation and marks nobody sees; empty for no name."""
    text = unicodedata.normalize("NFKC", str(header)).casefold() if header is not None else ""
    seen = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")  # as web pages and chats leave them
    return _NOISE.sub("", seen.strip())


def columns_for(role: str, header: Iterable[str]) -> list[str]:
    """Return the columns whose name says the role, looking past a remark in brackets, `经度(°)`, only when it must."""
    known = SYNONYMS[role]
    names = list(header)
    exact = [name for name in names if normalise(name) in known]
    return exact or [name for name in names if normalise(_REMARK.sub("", normalise(name))) in known]


def find_header(rows: Sequence[Sequence[object]], wanted: Iterable[str]) -> int | None:
    """Return the position of the first row that names both coordinates and everything wanted, None without one.

    A title line above the header is usual in offices.
    """
    names = {normalise(name) for name in wanted}
    for at, row in enumerate(rows[:ROWS_SEARCHED]):
        cells = [str(cell) for cell in row if cell not in {None, ""}]
        said = {normalise(cell) for cell in cells}
        if names and names <= said and len(cells) > 1:
            return at
        if not names and columns_for("x", cells) and columns_for("y", cells):
            return at
    return None


def fullest_row(rows: Sequence[Sequence[object]]) -> int:
    """Return the position of the row among the first that has the most cells: what a reader takes for the header."""
    counts = [sum(cell not in {None, ""} for cell in row) for row in rows[:ROWS_SEARCHED]]
    return counts.index(max(counts)) if counts else 0


def distinct(header: Sequence[object]) -> list[str]:
    """Return column names as text, unique: empty ones are numbered, a repeated one gets `.2`, `.3` and so on."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for number, cell in enumerate(header, start=1):
        name = " ".join(str(cell).split()).removeprefix("\ufeff") if cell not in {None, ""} else f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return names


def repeated(header: Sequence[object]) -> list[str]:
    """Return the column names that stand in a header more than once."""
    names = [" ".join(str(cell).split()) for cell in header if cell not in {None, ""}]
    return [name for name, count in Counter(names).items() if count > 1]
