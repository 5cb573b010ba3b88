"""The key that signs the tokens of forms: made once for a home directory, shared by all its server processes."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from mapgrid.errors import MapgridError

if TYPE_CHECKING:
    from pathlib import Path


class SecretKeyError(MapgridError):
    """A key that can be neither read nor made."""


def secret_key(home: Path) -> str:
    """Return the key of a home directory; make it, for the owner's eyes alone, when there is none."""
    path = home / "secret.key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f"secret.key.{os.getpid()}"
        if not path.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            try:
                os.link(draft, path)  # of two processes at once, one makes it
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text()
    except OSError as error:
        raise SecretKeyError(
            f"cannot read or write {path}: {error.strerror}; make room or rights there, or set MAPGRID_HOME"
        ) from error
