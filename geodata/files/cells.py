"""Cells of a ledger made into values of the domain, or refused with what was expected."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from mapgrid.codes import household_code
from mapgrid.errors import Fault, shorten
from mapgrid.exports import restored_cell
from mapgrid.tiers import Tier, TierReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Value = TypeVar("_Value")

_MOST_WEIGHT = 32_767
_LONGEST_TEXT = 500
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T ].*)?", re.ASCII)
_SEPARATORS = re.compile(r"[;；,，、/|\s]+")

TIER_WORDS: Mapping[str, Tier] = MappingProxyType(
    {
        **{tier.value: tier for tier in Tier},
        "红": Tier.RED, "黄": Tier.YELLOW, "绿": Tier.GREEN, "r": Tier.RED, "y": Tier.YELLOW, "g": Tier.GREEN,
        "未知": Tier.UNKNOWN, "未定": Tier.UNKNOWN, "未定级": Tier.UNKNOWN,
    }
)  # fmt: skip
REASON_WORDS: Mapping[str, TierReason] = MappingProxyType(
    {
        **{reason.value: reason for reason in TierReason},
        "重大矛盾纠纷": TierReason.SERIOUS_DISPUTE, "突发困难": TierReason.ACUTE_HARDSHIP,
        "高龄独居重病": TierReason.ILL_ALONE_80, "低保": TierReason.SUBSISTENCE, "残疾": TierReason.DISABILITY,
        "空巢": TierReason.EMPTY_NEST, "空巢老人": TierReason.EMPTY_NEST, "留守": TierReason.LEFT_BEHIND,
        "留守儿童": TierReason.LEFT_BEHIND, "慢性病": TierReason.CHRONIC_ILLNESS, "大病": TierReason.CHRONIC_ILLNESS,
        "危房": TierReason.UNSAFE_HOUSE,
        "矛盾纠纷": TierReason.ORDINARY_DISPUTE, "一般纠纷": TierReason.ORDINARY_DISPUTE,
    }
)  # fmt: skip
_GENDERS = {"男": "M", "女": "F", "m": "M", "f": "F", "male": "M", "female": "F", "1": "M", "2": "F"}


class CellError(ValueError):
    """A cell that does not hold what its column is for: what was expected, and what to do."""

    def __init__(self, expected: str, hint: str | None = None) -> None:
        super().__init__(expected)
        self.expected, self.hint = expected, hint


class Cells:
    """The cells of one layer and the faults found in them, by row.

    Attributes
    ----------
    frame
        Rows indexed by row number, as `geodata.files.read_features` returns them.
    roles
        The column that plays each role.
    faults
        What was wrong so far.
    """

    def __init__(self, frame: pd.DataFrame, roles: Mapping[str, str]) -> None:
        self.frame, self.roles = frame, roles
        self.faults: list[Fault] = []

    def texts(self, role: str) -> list[str | None]:
        """Return the texts of a role's column, None for an empty cell; all None without such a column."""
        if role not in self.roles:
            return [None] * len(self.frame)
        texts = [text_of(cell) for cell in self.frame[self.roles[role]].tolist()]
        for at, text in enumerate(texts):
            if text is not None and len(text) > _LONGEST_TEXT:
                self.fault(self.frame.index[at], f"at most {_LONGEST_TEXT} characters", f"{len(text)}", role=role)
                texts[at] = None
        return texts

    def parse(self, role: str, parse: Callable[[str], _Value]) -> list[_Value | None]:
        """Return the values of a role's column; None for an empty cell, and, with a fault, for a wrong one."""
        values: list[_Value | None] = []
        for row, text in zip(self.frame.index, self.texts(role), strict=True):
            try:
                values.append(None if text is None else parse(text))
            except CellError as error:
                values.append(None)
                self.fault(row, error.expected, repr(shorten(str(text))), role=role, hint=error.hint)
        return values

    def fault(self, row: int, expected: str, found: str, *, role: str, hint: str | None = None) -> None:
        """Record a fault in a role's column."""
        self.faults.append(
            Fault(
                expected, found, file=self.frame.attrs["file"], layer=self.frame.attrs["layer"], row=int(row),
                column=self.roles.get(role, role), hint=hint,
            )
        )  # fmt: skip


def text_of(cell: Any) -> str | None:  # noqa: ANN401 - whatever a driver made of a cell
    """Return the text of a cell as a person sees it, None when it is empty."""
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    text = str(cell).strip(" \r\n\u3000")
    return restored_cell(text) or None


def parse_code(village_code: str) -> Callable[[str], str]:
    """Return a parser of household codes of a village: 18 digits, or the serial alone."""

    def parse(text: str) -> str:
        digits = unicodedata.normalize("NFKC", text)
        if re.fullmatch(r"\d\.\d+e\+\d+", digits, re.ASCII | re.IGNORECASE):
            raise CellError("a code kept as text", "a number cell keeps 15 digits only: format the column as text")
        if re.fullmatch(r"\d{18}", digits, re.ASCII) and digits.startswith(village_code):
            return digits
        if re.fullmatch(r"\d{1,6}", digits, re.ASCII) and int(digits) > 0:
            return household_code(village_code, int(digits))
        expected = f"18 digits that start with {village_code}, or a serial number 1–999999"
        raise CellError(expected, "without usable codes leave the column out: --column code=")

    return parse


def parse_weight(text: str) -> int:
    """Return a number of households."""
    digits = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"\d{1,6}(\.0+)?", digits, re.ASCII) or not 1 <= float(digits) <= _MOST_WEIGHT:
        raise CellError(f"a whole number of households, 1–{_MOST_WEIGHT}")
    return int(float(digits))


def parse_tier(text: str) -> str:
    """Return the tier a word means."""
    word = unicodedata.normalize("NFKC", text).casefold()
    if len(word) > 1:
        word = re.sub(r"[色户码类牌]+$", "", word)
    if word not in TIER_WORDS:
        raise CellError("red, yellow or green (红、黄、绿)")
    return TIER_WORDS[word].value


def parse_reasons(text: str) -> list[str]:
    """Return the reasons that words separated by commas or spaces mean."""
    words = [word for word in _SEPARATORS.split(unicodedata.normalize("NFKC", text)) if word]
    unknown = [word for word in words if word not in REASON_WORDS]
    if unknown:
        raise CellError("reasons such as " + "、".join(list(REASON_WORDS)[len(TierReason) :][:4]))
    return [REASON_WORDS[word].value for word in words]


def parse_date(text: str) -> dt.date:
    """Return a date written 2026-03-05, 2026/3/5, 20260305 or 2026年3月5日."""
    parts = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    try:
        if parts is not None:
            return dt.date(*map(int, parts.groups()))
    except ValueError:
        pass
    raise CellError("a date such as 2026-03-05")


def parse_gender(text: str) -> str:
    """Return M or F."""
    word = text.casefold()
    if word not in _GENDERS:
        raise CellError("男 or 女")
    return _GENDERS[word]
