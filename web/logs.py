"""What the server says of itself: one JSON object a line on stderr, and nothing about people in it.

A line tells when, how bad, which request, which route, what became of it and how long it took. Addresses as they were
asked for, query strings, values of statements and messages of errors stay out: they carry names, tiers and places.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

_FIELDS = ("request_id", "method", "route", "status", "ms")
_LAST_FRAMES = 6
# gunicorn quotes what it was sent behind these words.
_QUOTING = ("Invalid request", "Error handling request", "Socket error processing request")


class JsonLine(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _without_quotes(record.getMessage()),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line |= _told(record.exc_info[1], record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(stream: TextIO | None = None) -> None:
    """Let the whole process log in JSON: what mapgrid says from INFO on, what libraries say from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for ours in ("web", "geodata"):
        logging.getLogger(ours).setLevel(logging.INFO)
    sys.excepthook = _tell_uncaught


def _tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log what ends the program, where Python itself would print the values in the message."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("web").critical("the program ended", exc_info=(kind, error, trace))


def _without_quotes(message: str) -> str:
    return next((words for words in _QUOTING if message.startswith(words)), message)


def _told(error: BaseException | None, trace: TracebackType | None) -> dict[str, Any]:
    """Return an error's kind and where it was raised; its message may hold the values of a row."""
    cause = getattr(error, "orig", None) or error
    frames = traceback.extract_tb(trace)[-_LAST_FRAMES:]
    return {
        "error": type(error).__name__,
        "cause": type(cause).__name__,
        "sqlstate": getattr(cause, "sqlstate", None),
        "where": [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }
