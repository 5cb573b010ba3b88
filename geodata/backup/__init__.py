"""Backup and restore: one file that proves itself, the archived log with restores to a moment, nightly rotation."""

from geodata.backup.nights import nightly

__all__ = ["nightly"]
