"""Pages of long lists."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import request

_SIZE = 50
_LAST = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its number from 1, rows a page, rows in all."""

    number: int
    size: int = _SIZE
    total: int = 0

    @property
    def offset(self) -> int:
        """Return how many rows stand before the page."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """Return the number of the last page."""
        return max(1, -(-self.total // self.size))

    def of(self, total: int) -> Page:
        """Return the page with the number of rows in all."""
        return replace(self, total=total)


def read_page() -> Page:
    """Return the page a request asks for: the first when its number cannot be read."""
    given = request.args.get("page", "")
    is_number = given.isascii() and given.isdecimal() and len(given) <= 4
    return Page(min(max(int(given), 1), _LAST) if is_number else 1)
