"""Ctrl-C while functions are compiled, and what is said when they are."""

import signal
import subprocess
import sys

from click.testing import CliRunner
from real_land import file_of

from mapgrid.partition import warm
from mapgrid.partition.kernels import are_kept
from web.commands import warming
from web.commands.partition import partition

LEAVE = """
import os, signal
from web.interrupts import leaving_at_once
with leaving_at_once("broken off"):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print("went on")
"""

AFTERWARDS = """
import os, signal
from web.interrupts import leaving_at_once
with leaving_at_once("broken off"):
    pass
os.kill(os.getpid(), signal.SIGINT)
"""


def test_ctrl_c_while_functions_are_compiled_ends_the_program_there_and_then():
    done = subprocess.run([sys.executable, "-c", LEAVE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "broken off\n")


def test_ctrl_c_is_an_exception_again_afterwards():
    done = subprocess.run([sys.executable, "-c", AFTERWARDS], capture_output=True, text=True, check=False)
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode == -signal.SIGINT


def test_kernels_are_known_to_be_kept_once_they_were_compiled():
    warm()
    assert are_kept("seeds")
    assert not are_kept("a_module_that_there_is_not")


def test_a_first_run_says_that_it_compiles(tmp_path, monkeypatch):
    monkeypatch.setattr(warming, "are_kept", lambda module: module != "climbing")
    file, out = file_of("coulibistrie"), str(tmp_path / "plan.gpkg")
    arguments = [f"{file}:households", "--village", f"{file}:village", "--out", out]
    said = {
        effort: CliRunner().invoke(partition, [*arguments, "--effort", effort]).stderr
        for effort in ("quick", "thorough")
    }
    assert "compiling" not in said["quick"]
    assert said["thorough"].startswith("note: compiling for this machine, once: up to two minutes\n")
