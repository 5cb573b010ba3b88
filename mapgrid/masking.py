"""Names, telephones and identity numbers as they are shown without a stated purpose."""

from __future__ import annotations

from enum import StrEnum

from mapgrid.errors import MapgridError


class Purpose(StrEnum):
    """What somebody may be seen in full for."""

    VISIT = "visit"
    """To call on a household or to ring it up."""
    CASE = "case"
    EMERGENCY = "emergency"
    CORRECTION = "correction"
    """To put the record right."""


class PurposeMissingError(MapgridError):
    """Somebody is to be seen in full, and no purpose is stated."""


def mask_name(full_name: str) -> str:
    """Return the family name and two stars: `张**`, `Ospelt **`; empty stays empty."""
    name = full_name.strip()
    if not name:
        return ""
    if " " in name:
        return f"{name.split(maxsplit=1)[0]} **"
    return f"{name[0]}**"


def mask_phone(phone: str) -> str:
    """Return the first three and last four digits: `138****1234`; anything shorter is starred whole."""
    digits = phone.strip()
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "*" * len(digits)


def mask_id_number(id_number: str) -> str:
    """Return the first three and last four characters of an identity number: `321***********1234`."""
    number = id_number.strip()
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) >= 9 else "*" * len(number)
