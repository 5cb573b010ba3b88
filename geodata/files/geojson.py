"""The coordinate system that a GeoJSON file names. GDAL passes over a name it does not know, and takes degrees."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from geodata.files import bounds
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

_MEMBER = re.compile(r'"crs"\s*:\s*(?=\{)')
_LONGEST = 2000


def named_crs(path: Path, name: str) -> str | None:
    """Return what the member `crs` names, None without one; refuse one that is elsewhere: nothing is fetched."""
    with path.open("rb") as file:
        text = file.read(bounds.MOST_FILE_BYTES).decode("utf-8", "replace")
    for found in _MEMBER.finditer(text):
        member = _object_at(text[found.end() : found.end() + _LONGEST])
        if member is None or not isinstance(member.get("properties"), dict):
            continue
        kind, said = str(member.get("type")).casefold(), member["properties"].get("name")
        if kind in {"name", "epsg"} and isinstance(said, str):
            return said
        if kind in {"link", "url", "name"}:
            hint = "name it in the file, or with --crs"
            fault = Fault("the name of a coordinate system", f"a {kind} member without a name", file=name, hint=hint)
            raise InputRefusedError([fault])
    return None


def _object_at(text: str) -> dict[str, Any] | None:
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
