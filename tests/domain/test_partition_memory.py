"""How much memory a division takes."""

import os
import subprocess
import sys
from pathlib import Path

from generated_land import generate
from numba import njit

from mapgrid.partition import divide, warm
from mapgrid.partition.compiler import release_compiler

_ROOT = Path(__file__).resolve().parent.parent.parent
_MOST_MB = 300
_DIVIDE = """
import re
from pathlib import Path
from generated_land import generate
from mapgrid.partition import divide, warm
warm()
drawn = generate(3000)
divide(drawn.village, drawn.households[["weight", "geometry"]])
print(re.search(r"VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def test_a_process_that_divides_3000_households_takes_no_more_than_300_mb():
    warm()  # what is compiled first takes more, once per machine
    environs = {**os.environ, "PYTHONPATH": os.pathsep.join((str(_ROOT), str(_ROOT / "tests")))}
    done = subprocess.run([sys.executable, "-c", _DIVIDE], env=environs, check=True, capture_output=True, text=True)
    assert int(done.stdout) / 1024 <= _MOST_MB


def test_a_plan_is_the_same_after_the_compiler_was_released():
    drawn = generate(200)
    one = divide(drawn.village, drawn.households[["weight", "geometry"]])
    assert release_compiler() > 0
    two = divide(drawn.village, drawn.households[["weight", "geometry"]])
    assert one.households["group"].tolist() == two.households["group"].tolist()


def test_a_kernel_is_compiled_after_the_compiler_was_released():
    release_compiler()
    assert njit(lambda number: 2 * number)(21) == 42
