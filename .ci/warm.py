"""Compile the numeric functions, which nobody should wait for later.

Usage: warm.py run | warm.py test. What the demo needs is compiled in two halves side by side; `test` compiles what is
left as well: units, re-balancing, the bound.
"""

from __future__ import annotations

import subprocess
import sys

SEARCH = "from mapgrid.partition.warming import warm_search; warm_search()"
BORDERS = "from mapgrid.partition.warming import warm_borders; warm_borders()"
REST = "from mapgrid.partition.warming import warm_all; warm_all()"


def main() -> int:
    """Return 0 when all of it was compiled."""
    halves = [subprocess.Popen([sys.executable, "-c", half]) for half in (SEARCH, BORDERS)]
    if any([half.wait() for half in halves]):  # noqa: C419  wait for both
        return 1
    if sys.argv[1:] == ["run"]:
        return 0
    return subprocess.run([sys.executable, "-c", REST], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
