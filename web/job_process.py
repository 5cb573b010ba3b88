"""The process of one job, or of the night's work. Run as `python -m web.job_process NUMBER|nightly PARENT`."""

from __future__ import annotations

import sys

from web import jobs, logs, nightly
from web.job_queue import DONE, NIGHTLY
from web.lifeline import end_with
from web.settings import read_settings


def main(what: str, parent: int) -> int:
    """Do what was asked for and return the exit status."""
    end_with(parent)
    logs.configure()
    settings = read_settings()
    database_url = settings.database_url or ""
    if what == NIGHTLY:
        nightly.run(database_url, settings)
        return DONE
    return jobs.run(database_url, int(what))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], int(sys.argv[2])))
