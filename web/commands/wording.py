"""Numbers of things in words."""

from __future__ import annotations


def counted(number: float, what: str) -> str:
    """Return a number of things: `1 grid`, `2 grids`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def spanned(least: int, most: int) -> str:
    """Return a range of whole numbers, one number where it is one: `30`, `50–100`."""
    return f"{least}" if least == most else f"{least}–{most}"
