"""The machine's own packages: Python, npm, PostGIS, Chromium, a Chinese font. Needs Python alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

from progress import ROOT, SetupError, run

VENV_PYTHON = Path(".venv/bin/python")


def find_python() -> str | None:
    """Return the Python that makes the environment: new enough, the plain `python3` first."""
    named = [os.environ["MAPGRID_PYTHON"]] if "MAPGRID_PYTHON" in os.environ else []
    for name in [*named, "python3", "python3.14", "python3.13", "python3.12", "python3.11"]:
        path = shutil.which(name)
        ask = "import sys; sys.exit(sys.version_info < (3, 11))"
        if path and subprocess.run([path, "-c", ask], capture_output=True, check=False).returncode == 0:
            return path
    return None


def missing_packages(mode: str) -> tuple[list[str], list[str]]:
    """Return the Debian packages to install: those the other steps wait for, and the rest."""
    rest = []
    if not has_postgis() and (mode == "test" or "MAPGRID_DATABASE_URL" not in os.environ):
        rest += ["postgresql-postgis"]
    if mode == "test" and not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        rest += ["chromium"]
    if mode == "test" and not any(Path("/usr/share/fonts").glob("**/NotoSansCJK*")):
        rest += ["fonts-noto-cjk"]
    if mode == "test" and find_library("atomic") is None:
        rest += ["libatomic1"]  # what drives the browser in tests is linked to it
    return missing_tools(), rest


def missing_tools() -> list[str]:
    """Return the Debian packages that make the Python environment and fetch the map assets."""
    tools = [] if shutil.which("npm") and shutil.which("node") else ["npm"]
    if VENV_PYTHON.exists():
        return tools
    python = find_python()
    if python is None:
        return [*tools, "python3.11", "python3.11-venv"]
    has_venv = (
        subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0
    )
    return tools if has_venv else [*tools, f"{Path(python).name}-venv"]


def has_postgis() -> bool:
    """Say whether a PostgreSQL with PostGIS is installed that is new enough."""
    sys.path.insert(0, str(ROOT))
    from geodata.postgres import OLDEST_MAJOR, list_installations

    return any(each.has_postgis and each.major >= OLDEST_MAJOR for each in list_installations())


def check_packages_allowed(packages: list[str]) -> None:
    """Say in one line what to install when we may not do it."""
    if not packages:
        return
    if "chromium" in packages and "ID=ubuntu" in Path("/etc/os-release").read_text().splitlines():
        raise SetupError("on Ubuntu Chromium is a snap: sudo snap install chromium, then make test again")
    if as_root() is None:
        raise SetupError(
            f"packages are missing and this account may not install them: "
            f"sudo apt-get install --no-install-recommends {' '.join(packages)}, then make setup again"
        )


def as_root() -> list[str] | None:
    """Return what to write before a command to run it as root, None if we may not, or there is no apt."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    may = shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if may and may.returncode == 0 else None


def install(packages: list[str]) -> None:
    """Install Debian packages; PostgreSQL without the server that Debian would start for it."""
    if not packages:
        return
    sudo = as_root() or []
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "apt-get", "-y"]
    apt += ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    commands = [
        [*sudo, "dpkg", "--configure", "-a"],  # after an interruption
        [*apt, "update"],
        [*apt, "install", "--no-install-recommends", *packages],
    ]
    if not Path("/usr/bin/pg_createcluster").exists():
        # Debian makes and starts a server of its own on the first installation; ours is private.
        wish = "/etc/postgresql-common/createcluster.d/mapgrid.conf"
        write = f"mkdir -p {Path(wish).parent} && echo 'create_main_cluster = false' > {wish}"
        commands.insert(0, [*sudo, "sh", "-c", write])
        commands.append([*sudo, "rm", "-f", wish])
    run(
        f"Debian packages {', '.join(packages)}",
        *commands,
        hint="Is the package mirror reachable? Then make setup again",
    )
