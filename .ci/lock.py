"""Write requirements.txt and requirements-dev.txt: what pyproject.toml asks for, in the versions `.venv` has."""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUN = "# Everything mapgrid runs with, the whole tree, and what installs mapgrid itself. Written by `make lock`.\n"
DEV = "# What tests, linters and benches need beside requirements.txt. Written by `make lock`.\n"
INSTALLS_MAPGRID = ["hatchling", "editables"]


def tree_of(requirements: list[str]) -> dict[str, str]:
    """Return name -> version of the requirements and of all they need on this machine."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        requirement = waiting.pop()
        key = f"{canonicalize_name(requirement.name)}[{','.join(sorted(requirement.extras))}]"
        if key in seen:
            continue
        seen.add(key)
        installed = distribution(requirement.name)
        found[canonicalize_name(requirement.name)] = installed.version
        extras = ["", *requirement.extras]
        needs = [Requirement(each) for each in installed.requires or []]
        waiting += [
            each for each in needs if not each.marker or any(each.marker.evaluate({"extra": e}) for e in extras)
        ]
    return found


def write(path: Path, head: str, pins: dict[str, str]) -> None:
    """Write pins in the order of their names."""
    path.write_text(head + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))


def main() -> None:
    """Write both files."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    run = tree_of(project["dependencies"] + INSTALLS_MAPGRID)
    dev = tree_of(project["optional-dependencies"]["dev"])
    write(Path("requirements.txt"), RUN, run)
    write(Path("requirements-dev.txt"), DEV, {name: version for name, version in dev.items() if name not in run})


if __name__ == "__main__":
    main()
