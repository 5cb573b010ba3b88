"""Cells of exports: a spreadsheet must not compute what somebody typed."""

from __future__ import annotations

_COMPUTED = ("=", "+", "-", "@", "\t", "\r", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
             "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
_GUARD = "'"


def harmless_cell(text: str) -> str:
    """Return a text as an export writes it: with an apostrophe before what a spreadsheet would compute.

    A text that begins with an apostrophe gets another, so that `restored_cell` gives back what was there.
    """
    return f"{_GUARD}{text}" if text.startswith((*_COMPUTED, _GUARD)) else text


def restored_cell(cell: str) -> str:
    """Return the text that `harmless_cell` wrote as this cell."""
    return cell[1:] if cell.startswith(_GUARD) and cell[1:].startswith((*_COMPUTED, _GUARD)) else cell
