"""What can go wrong with backups."""

from __future__ import annotations

from mapgrid.errors import MapgridError


class BackupError(MapgridError):
    """A backup that cannot be made; nothing half-made is left."""


class BackupRefusedError(MapgridError):
    """A file that is no whole backup of mapgrid, or one that this mapgrid cannot open; nothing was changed."""


class RestoreError(MapgridError):
    """A restore that cannot be done; the store is as it was."""
