"""Addresses that a request names and a redirect may lead to."""

from __future__ import annotations


def local_address(given: str) -> str:
    """Return an address when it lies on this site, else that of the home page."""
    is_ours = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable()
    return given if is_ours else "/"
