"""The compiler behind the kernels: once they are loaded, its code need not stay in memory."""

from __future__ import annotations

import ctypes
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_LIBRARY = "libllvmlite"
_DONT_NEED = 4
"""`MADV_DONTNEED` of Linux."""


def release_compiler() -> int:
    """Give back the memory of the compiler's code and return how many bytes of address space that was.

    numba compiles a few helpers in every process, also where all kernels come from the cache; 50 MB of LLVM then stay
    resident that nothing runs. The code is a mapped file that nobody writes to: what is called again is read again.
    Elsewhere than on Linux nothing is done, and 0 returned.
    """
    if not _MAPS.exists():
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    released = 0
    for line in _MAPS.read_text().splitlines():
        place, access = line.split()[:2]
        if access == "r-xp" and _LIBRARY in line:
            start, end = (int(address, 16) for address in place.split("-"))
            if advise(start, end - start, _DONT_NEED) == 0:
                released += end - start
    return released
