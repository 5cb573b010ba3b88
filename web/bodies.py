"""What a request may bring: a little, unless the view that reads it takes more, and no letter that cannot be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flask import abort, current_app, request

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.typing import ResponseReturnValue

View = TypeVar("View", bound="Callable[..., ResponseReturnValue]")

MEBIBYTE = 2**20
LONGEST_BODY = MEBIBYTE
"""Bytes of a body for a view that says nothing: a form, or a few edits of a plan."""


class LetterRefusedError(MapgridError):
    """A field with a letter that the database cannot keep."""


def takes(longest: int) -> Callable[[View], View]:
    """Let a view read a body of so many bytes: `@takes(64 * MEBIBYTE)`."""

    def mark(view: View) -> View:
        view.longest_body = longest  # type: ignore[attr-defined]
        return view

    return mark


def register(app: Flask) -> None:
    """Refuse longer bodies, before they are read where the request says how long it is, and fields with U+0000."""
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    app.before_request(_refuse_long)
    app.before_request(_refuse_nul)


def _refuse_long() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = longest = getattr(view, "longest_body", LONGEST_BODY)
    if request.content_length is not None and request.content_length > longest:
        abort(413)


def _refuse_nul() -> None:
    """Refuse fields with the one letter that PostgreSQL does not know."""
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    fields = (request.args, request.form) if is_form else (request.args,)
    for given in fields:
        for name, value in given.items():
            if "\x00" in value:
                raise LetterRefusedError(f"{name}: expected letters, found U+0000, which is none")
