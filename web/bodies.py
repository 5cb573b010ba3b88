"""How long the body of a request may be: a little, unless the view that reads it says more."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flask import abort, current_app, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.typing import ResponseReturnValue

View = TypeVar("View", bound="Callable[..., ResponseReturnValue]")

MEBIBYTE = 2**20
LONGEST_BODY = MEBIBYTE
"""Bytes of a body for a view that says nothing: a form, or a few edits of a plan."""


def takes(longest: int) -> Callable[[View], View]:
    """Let a view read a body of so many bytes: `@takes(64 * MEBIBYTE)`."""

    def mark(view: View) -> View:
        view.longest_body = longest  # type: ignore[attr-defined]
        return view

    return mark


def register(app: Flask) -> None:
    """Refuse longer bodies: before they are read where the request says how long it is, else while they are."""
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    app.before_request(_refuse_long)


def _refuse_long() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = longest = getattr(view, "longest_body", LONGEST_BODY)
    if request.content_length is not None and request.content_length > longest:
        abort(413)
