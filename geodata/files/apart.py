"""The child process that opens files: bounded memory and time, no network, no file written but unpacked shapefiles.

Run as `python -m geodata.files.apart` by `geodata.files.child`; the request comes as JSON on standard input, the
answer leaves as bytes on standard output. Importing this must stay cheap: it is paid by every import of a file.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.files import bounds
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


def main() -> None:
    """Answer one request."""
    request: dict[str, Any] = json.load(sys.stdin.buffer)
    shut_in(
        memory_bytes=request["memory_bytes"],
        cpu_seconds=request["cpu_seconds"],
        file_bytes=bounds.MOST_UNPACKED_BYTES if request["action"] == "archive" else 0,
    )
    sys.stdout.buffer.write(answer(request))
    sys.stdout.buffer.flush()


def shut_in(*, memory_bytes: int, cpu_seconds: int, file_bytes: int = 0) -> None:
    """Give up memory, time, files and network beyond what reading one file takes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # An own, empty network: even loopback is out of reach. Where the kernel forbids it to ordinary users, the
    # allow-list of one driver still stands, and none of the drivers on it calls out.
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.unshare(_CLONE_NEWNET) != 0:
        kernel.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    # Nobody would read the answer of a child whose parent was killed.
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def answer(request: dict[str, Any]) -> bytes:
    """Return the packed answer to a request, faults included."""
    from geodata.files import exchange  # noqa: PLC0415  # numpy, after the limits are set

    try:
        return _ACTIONS[request["action"]](request)
    except InputRefusedError as refused:
        return exchange.pack_faults(refused.faults)
    except MemoryError:
        fault = Fault("a file that can be read within the memory limit", "one that needs more", file=request["name"])
        return exchange.pack_faults((fault,))


# Each action imports its own libraries only: a CSV does not wait for GDAL.
def _read_vector(request: dict[str, Any]) -> bytes:
    from geodata.files import exchange, vector  # noqa: PLC0415

    return exchange.pack_layer(vector.read_layer(request))


def _read_csv(request: dict[str, Any]) -> bytes:
    from geodata.files import exchange, sheets  # noqa: PLC0415

    return exchange.pack_table(sheets.read_csv(request))


def _open_archive(request: dict[str, Any]) -> bytes:
    from geodata.files import archives, exchange, sheets  # noqa: PLC0415

    path, name = Path(request["path"]), request["name"]
    archives.check_archive(path, name)
    if archives.is_workbook(path):
        archives.check_xml(path, name)
        return exchange.pack_table(sheets.read_xlsx(request))
    return exchange.pack({"shapefiles": archives.unpack_shapefiles(path, name, Path(request["into"]))}, {})


def _mend(request: dict[str, Any]) -> bytes:
    from geodata.files import exchange, mending  # noqa: PLC0415

    return exchange.pack({"wkb": [mending.mend(outline) for outline in request["wkb"]]}, {})


def _join(request: dict[str, Any]) -> bytes:
    from geodata.files import exchange, mending  # noqa: PLC0415

    return exchange.pack({"wkb": mending.join(request["wkb"])}, {})


def _shares(request: dict[str, Any]) -> bytes:
    from geodata.files import exchange, mending  # noqa: PLC0415

    return exchange.pack({"shares": mending.shares_inside(request["of"][0], request["wkb"])}, {})


def _settle(request: dict[str, Any]) -> bytes:
    from geodata.files import exchange, settling  # noqa: PLC0415

    return exchange.pack(settling.settle(request["village"][0], request["grids"], request["homes"][0]), {})


_ACTIONS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "vector": _read_vector,
    "csv": _read_csv,
    "archive": _open_archive,
    "mend": _mend,
    "join": _join,
    "shares": _shares,
    "settle": _settle,
}

if __name__ == "__main__":
    main()
