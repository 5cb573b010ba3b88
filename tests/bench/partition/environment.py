"""The environment of the peers: a venv beside mapgrid's, made once from requirements-bench.txt."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PLACE = ROOT / ".setup" / "bench"
PYTHON = PLACE / "bin" / "python"
_PINS = ROOT / "requirements-bench.txt"


def make(say):
    """Make the environment when it is not there, or was made from other pins; return package -> why it is missing."""
    stamp = PLACE / "made-from"
    wanted = hashlib.sha256(_PINS.read_bytes()).hexdigest()
    lacking = PLACE / "lacking"
    if not (stamp.exists() and stamp.read_text() == wanted):
        say("installing the peers into .setup/bench (once)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", PLACE], check=True)
        lacking.write_text("".join(f"{name}\t{why}\n" for name, why in _install().items()))
        stamp.write_text(wanted)
    return dict(line.split("\t") for line in lacking.read_text().splitlines())


def _install():
    """Install all pins at once; when that fails, one by one, so that one peer does not keep the others away."""
    # The pins are the whole tree, so nothing is looked up; fmtm-splitter asks for psycopg2 by its source's name.
    if _pip("-r", str(_PINS)) is None:
        return {}
    pins = [line for line in _PINS.read_text().splitlines() if line and not line.startswith("#")]
    return {pin.split("==")[0]: why for pin in pins if (why := _pip(pin)) is not None}


def _pip(*what):
    """Return None, or the last line of what pip said."""
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*command, *what], capture_output=True, text=True, env={**os.environ}, check=False)
    said = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
    return None if done.returncode == 0 else said
