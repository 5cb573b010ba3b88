"""Roles of the people who serve a grid."""

from __future__ import annotations

from enum import StrEnum


class StaffRole(StrEnum):
    """1 + 1 + n people per grid: a liaison cadre, a grid leader, grid workers."""

    LIAISON = "liaison"
    LEADER = "leader"
    WORKER = "worker"
