"""Who lives in a household: names, ages and relations that fit the household's reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from geodata.samples.invention.words import FAMILY_NAMES, GIVEN_NAMES_F, GIVEN_NAMES_M
from mapgrid.tiers import TierReason

if TYPE_CHECKING:
    from numpy.random import Generator

_SIZES = (1, 2, 3, 4, 5, 6)
_SIZE_SHARES = (0.15, 0.31, 0.26, 0.17, 0.08, 0.03)
_NOBODY_S_AREA = "990101"
_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_CHECK_DIGITS = "10X98765432"
_PHONE_FROM_AGE = 14


@dataclass(frozen=True, slots=True)
class _Member:
    relation: str
    age: int
    gender: str
    family_name: str


def invent_people(households: pd.DataFrame, rng: Generator, *, today: date) -> pd.DataFrame:
    """Return the people of households: one row each, the head first.

    Parameters
    ----------
    households
        Indexed by household code, with `reasons`.
    today
        The day on which the ages hold.

    Returns
    -------
    DataFrame
        `household_code, is_head, full_name, relation, gender, born_on, phone, id_number`. Telephone numbers begin with
        000 and identity numbers with 990101: both belong to nobody.
    """
    rows = [
        _row(code, member, rng, today, is_head=position == 0)
        for code, reasons in households["reasons"].items()
        for position, member in enumerate(_members(set(reasons), rng))
    ]
    return pd.DataFrame(rows)


def invent_name(rng: Generator, *, gender: str, family_name: str | None = None) -> str:
    """Return a full name, family name first."""
    given = GIVEN_NAMES_M if gender == "M" else GIVEN_NAMES_F
    return (family_name or _one_of(FAMILY_NAMES, rng)) + _one_of(given, rng)


def invent_phone(rng: Generator) -> str:
    """Return eleven digits beginning with 000, as no telephone number does."""
    return f"000{rng.integers(10**8):08d}"


def invent_id_number(born_on: date, rng: Generator, *, gender: str) -> str:
    """Return 18 characters with a right check digit, of the area 990101, which does not exist."""
    serial = 2 * int(rng.integers(0, 499)) + (1 if gender == "M" else 2)
    digits = f"{_NOBODY_S_AREA}{born_on:%Y%m%d}{serial:03d}"
    return digits + _CHECK_DIGITS[sum(w * int(d) for w, d in zip(_CHECK_WEIGHTS, digits, strict=True)) % 11]


def _row(code: object, member: _Member, rng: Generator, today: date, *, is_head: bool) -> dict[str, object]:
    born_on = today - timedelta(days=int(member.age * 365.25) + int(rng.integers(0, 365)))
    return {
        "household_code": code,
        "is_head": is_head,
        "full_name": invent_name(rng, gender=member.gender, family_name=member.family_name),
        "relation": member.relation,
        "gender": member.gender,
        "born_on": born_on,
        "phone": invent_phone(rng) if member.age >= _PHONE_FROM_AGE else None,
        "id_number": invent_id_number(born_on, rng, gender=member.gender),
    }


def _members(reasons: set[str], rng: Generator) -> list[_Member]:
    if TierReason.ILL_ALONE_80 in reasons:
        return [_head(rng, int(rng.integers(80, 95)))]
    if TierReason.EMPTY_NEST in reasons:
        head = _head(rng, int(rng.integers(66, 86)))
        return [head, _spouse(head, rng)] if rng.random() < 0.7 else [head]
    if TierReason.LEFT_BEHIND in reasons:
        head = _head(rng, int(rng.integers(56, 73)))
        grandchildren = [_child("孙子女", head, int(rng.integers(3, 15)), rng) for _ in range(int(rng.integers(1, 3)))]
        return [head, _spouse(head, rng), *grandchildren]
    return _ordinary(int(rng.choice(_SIZES, p=_SIZE_SHARES)), rng)


def _ordinary(size: int, rng: Generator) -> list[_Member]:
    head = _head(rng, int(rng.integers(28, 76)))
    members = [head] if size == 1 else [head, _spouse(head, rng)]
    while len(members) < size:
        members.append(_relative(head, len(members), rng))
    return members


def _relative(head: _Member, place: int, rng: Generator) -> _Member:
    """Return a child of the head; from the fifth person on a parent of a younger head, a grandchild of an older."""
    if place < 4:
        return _child("子女", head, max(0, head.age - int(rng.integers(22, 33))), rng)
    if head.age <= 60:
        gender = _gender(rng)
        return _Member("父母", head.age + int(rng.integers(22, 31)), gender, head.family_name)
    return _child("孙子女", head, max(0, head.age - int(rng.integers(48, 60))), rng)


def _head(rng: Generator, age: int) -> _Member:
    return _Member("户主", age, "M" if rng.random() < 0.7 else "F", _one_of(FAMILY_NAMES, rng))


def _spouse(head: _Member, rng: Generator) -> _Member:
    age = max(22, head.age + int(rng.integers(-4, 4)))
    return _Member("配偶", age, "F" if head.gender == "M" else "M", _one_of(FAMILY_NAMES, rng))


def _child(relation: str, head: _Member, age: int, rng: Generator) -> _Member:
    return _Member(relation, age, _gender(rng), head.family_name)


def _gender(rng: Generator) -> str:
    return "M" if rng.random() < 0.51 else "F"


def _one_of(words: tuple[str, ...], rng: Generator) -> str:
    return words[int(rng.integers(len(words)))]
