"""What a job does and how it stands, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from mapgrid.jobs import JobKind, JobState

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_words(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job with `title`, `standing` and its message in words."""
    standing = _("Cancelling …") if job["is_cancelling"] else _standing()[job["state"]]
    return {
        **job,
        "title": _titles()[job["kind"]],
        "standing": standing,
        "message": _stages().get(job["message"], job["message"]),
        "outcome": _outcome(job),
    }


def _titles() -> dict[JobKind, str]:
    return {JobKind.DIVIDE: _("Dividing a village into grids")}


def _standing() -> dict[JobState, str]:
    return {
        JobState.QUEUED: _("Waiting for its turn"),
        JobState.RUNNING: _("At work"),
        JobState.SUCCEEDED: _("Done"),
        JobState.FAILED: _("It could not be done"),
        JobState.CANCELLED: _("Cancelled: nothing was changed"),
    }


def _stages() -> dict[str, str]:
    """Return the stages that `mapgrid.partition` tells of."""
    return {
        "cutting the land": _("cutting the land"),
        "dividing into grids": _("dividing into grids"),
        "straightening the borders": _("straightening the borders"),
        "forming ten-household groups": _("forming ten-household groups"),
        "drawing the grids": _("drawing the grids"),
    }


def _outcome(job: Mapping[str, Any]) -> str:
    result = job["result"]
    if job["state"] != JobState.SUCCEEDED or result is None:
        return ""
    return _(
        "%(households)d households in %(grids)d grids of %(least)d to %(most)d",
        households=result["households"],
        grids=result["grids"],
        least=result["least"],
        most=result["most"],
    )
