"""What every template may use: filters for figures and codes, versioned addresses of our own files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app, url_for
from flask_babel import get_locale

if TYPE_CHECKING:
    from flask import Flask

_MINUS = "\N{MINUS SIGN}"


def register(app: Flask) -> None:
    """Make the filters and functions known to the application's templates."""
    app.add_template_filter(figure)
    app.add_template_filter(spaced_code)
    app.add_template_global(asset)

    @app.context_processor
    def language_of_page() -> dict[str, str]:
        return {"language_tag": "zh-CN" if language() == "zh" else "en"}


def figure(number: float) -> str:
    """Return a number with thousands separated and a real minus sign: 2,619."""
    return f"{number:,}".replace("-", _MINUS)


def spaced_code(code: str) -> str:
    """Return an area code in its three parts: 990101 102 201."""
    return " ".join(part for part in re.split(r"^(\d{6})(\d{0,3})(\d{0,3})", code) if part)


def asset(filename: str) -> str:
    """Return the address of a static file with a mark that changes when the file does, so that browsers may keep it."""
    return url_for("static", filename=filename, v=_mark(current_app.static_folder or "", filename))


@cache
def _mark(folder: str, filename: str) -> str:
    return format(int(Path(folder, filename).stat().st_mtime), "x")


def language() -> str:
    """Return the language of this request's reader: `zh` or `en`."""
    locale = get_locale()
    return "zh" if locale and locale.language == "zh" else "en"
