"""What an unsafe request of the API says: its body, and the version it is meant for."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import request

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class VersionMissingError(MapgridError):
    """An unsafe request that does not say which version it is meant for."""


class BodyRefusedError(MapgridError):
    """A body or a header that is not as the API describes it."""


def looked_at() -> int:
    """Return the version that the request is meant for: its `If-Match`, the `ETag` of the plan that was looked at.

    Raises
    ------
    VersionMissingError
        If it says none, or any.
    BodyRefusedError
        If it is no tag of a plan.
    """
    given = request.headers.get("If-Match", "").strip()
    if given in {"", "*"}:
        msg = "If-Match: expected the ETag of the plan that was looked at, found none; load the plan first"
        raise VersionMissingError(msg)
    tag = _TAG.fullmatch(given)
    if tag is None:
        raise BodyRefusedError(f'If-Match: expected one ETag of a plan such as "7", found {given[:40]!r}')
    return int(tag.group(1))


def read_body(known: Collection[str] | None = None) -> Mapping[str, Any]:
    """Return the JSON object that was sent, or raise `BodyRefusedError`.

    Parameters
    ----------
    known
        Names that it may have; None for any.
    """
    try:
        body = request.get_json()
    except RecursionError as error:
        raise BodyRefusedError("body: expected a JSON object, found one nested too deeply") from error
    if not isinstance(body, dict):
        raise BodyRefusedError(f"body: expected a JSON object, found {type(body).__name__}")
    unknown = sorted(set(body) - set(known)) if known is not None else []
    if unknown:
        raise BodyRefusedError(f"body: expected {', '.join(sorted(known or ()))}, found {unknown[0][:40]!r}")
    return body


def text_of(body: Mapping[str, Any], name: str, *, most: int) -> str | None:
    """Return a text of a body, None where there is none, or raise `BodyRefusedError`."""
    value = body.get(name)
    if value is None:
        return None
    is_text = isinstance(value, str) and 0 < len(value) <= most and value.isprintable() and value == value.strip()
    if not is_text:
        raise BodyRefusedError(f"{name}: expected 1–{most} printable characters, found {value!r:.80}")
    return str(value)


def number_of(body: Mapping[str, Any], name: str, usual: int, *, most: int) -> int:
    """Return a whole number of a body, or raise `BodyRefusedError`."""
    value = body.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BodyRefusedError(f"{name}: expected a whole number from 0 to {most}, found {value!r:.80}")
    return value


def day_of(body: Mapping[str, Any], name: str) -> date:
    """Return a day of a body, or raise `BodyRefusedError`."""
    value = body.get(name)
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        value = f"{value}, which is no day"
    raise BodyRefusedError(f"{name}: expected a day such as 2026-04-01, found {value!r:.80}")
