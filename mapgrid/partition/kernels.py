"""Where compiled kernels are kept, so that none outlives the sources it was made from.

numba keeps a kernel as long as the file that it stands in does not change, though the kernels it calls stand in other
files. So the folder is named after all of them together: after an upgrade every kernel is compiled anew, once.
"""

import hashlib
from pathlib import Path

from numba import config


def _keep_by_source() -> None:
    """Let numba keep the kernels of this package in a folder named after their sources.

    Where the folder cannot be written, numba keeps them where it always does.
    """
    package = Path(__file__).resolve().parent
    texts = {path.relative_to(package).as_posix(): path.read_bytes() for path in sorted(package.rglob("*.py"))}
    known = hashlib.sha256()
    for name, text in texts.items():
        if b"njit" in text or name.endswith("/arrays.py"):
            known.update(name.encode() + text)
    chosen = getattr(config, "CACHE_DIR", "")  # NUMBA_CACHE_DIR
    folder = Path(chosen or package / "__pycache__") / f"kernels-{known.hexdigest()[:12]}"
    setattr(config, "CACHE_DIR", str(folder))  # noqa: B010  numba fills its settings in at run time; mypy sees none


def are_kept(module: str) -> bool:
    """Return whether kernels of a module of this package were compiled before, and are kept."""
    return any(Path(getattr(config, "CACHE_DIR", "")).glob(f"*/{module}.*.nbi"))


_keep_by_source()
