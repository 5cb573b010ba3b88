"""`make setup` in a scratch checkout whose environment is linked, so that nothing is fetched."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout with spaces and Chinese in its path, one npm package of its own, and a linked `.venv`."""
    root = tmp_path / "我的 网格"
    shutil.copytree(_CHECKOUT / ".ci", root / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("mapgrid/__init__.py", "mapgrid/errors.py", "geodata/__init__.py", "geodata/postgres.py"):
        (root / file).parent.mkdir(exist_ok=True)
        shutil.copyfile(_CHECKOUT / file, root / file)
    (root / "requirements.txt").write_text("")
    (root / "web" / "static").mkdir(parents=True)
    (root / ".venv").symlink_to(sys.prefix)
    (root / "leaf").mkdir()
    (root / "leaf" / "package.json").write_text(json.dumps({"name": "leaf", "version": "1.0.0"}))
    (root / "leaf" / "leaf.js").write_text("// a leaf\n")
    package = {"name": "scratch", "version": "1.0.0", "dependencies": {"leaf": "file:leaf"}}
    (root / "package.json").write_text(json.dumps({**package, "vendor": {"leaf": ["*.js"]}}))
    lock = {"": package, "leaf": {"version": "1.0.0"}, "node_modules/leaf": {"resolved": "leaf", "link": True}}
    (root / "package-lock.json").write_text(
        json.dumps({"name": "scratch", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": lock})
    )
    return root


def _set_up(root, mode="run", **environment):
    return subprocess.run(
        [sys.executable, "-B", root / ".ci" / "setup.py", mode],
        env={**os.environ, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_set_up_copies_what_the_page_loads_and_does_nothing_the_second_time(checkout):
    first = _set_up(checkout)
    assert first.returncode == 0, first.stderr
    vendor = checkout / "web" / "static" / "vendor"
    assert (vendor / "leaf" / "leaf.js").read_text() == "// a leaf\n"
    made_at = vendor.stat().st_mtime_ns
    began = time.monotonic()
    second = _set_up(checkout)
    assert second.returncode == 0
    assert time.monotonic() - began < 3  # seconds
    assert [line.split("] ")[1] for line in second.stdout.splitlines()] == ["a linked .venv is used as it is"]
    assert vendor.stat().st_mtime_ns == made_at


def test_a_step_that_was_interrupted_is_done_again(checkout):
    assert _set_up(checkout).returncode == 0
    shutil.rmtree(checkout / "node_modules")  # as npm leaves it when it is killed early
    shutil.rmtree(checkout / "web" / "static" / "vendor")
    assert _set_up(checkout).returncode == 0
    assert (checkout / "web" / "static" / "vendor" / "leaf" / "leaf.js").exists()


def test_what_a_step_was_made_from_decides_whether_it_is_done_again(checkout):
    assert _set_up(checkout).returncode == 0
    (checkout / "leaf" / "leaf.css").write_text("/* green */\n")
    package = json.loads((checkout / "package.json").read_text())
    package["vendor"]["leaf"] = ["*.css"]
    (checkout / "package.json").write_text(json.dumps(package))
    assert _set_up(checkout).returncode == 0
    copied = sorted(path.name for path in (checkout / "web" / "static" / "vendor" / "leaf").iterdir())
    assert copied == ["leaf.css"]


def test_a_file_that_a_package_does_not_have_is_named_and_the_old_copy_stays(checkout):
    assert _set_up(checkout).returncode == 0
    package = json.loads((checkout / "package.json").read_text())
    package["vendor"]["leaf"] = ["dist/*.js"]
    (checkout / "package.json").write_text(json.dumps(package))
    failed = _set_up(checkout)
    assert failed.returncode == 1
    assert "the npm package leaf has no dist/*.js" in failed.stderr
    assert (checkout / "web" / "static" / "vendor" / "leaf" / "leaf.js").exists()


def test_packages_that_may_not_be_installed_are_named_in_one_line(checkout, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(sys.executable)
    refused = _set_up(checkout, PATH=str(programs))  # no npm, no apt-get, no sudo
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "sudo apt-get install --no-install-recommends npm" in refused.stderr


def test_two_set_ups_at_once_take_turns(checkout):
    command = [sys.executable, "-B", checkout / ".ci" / "setup.py", "run"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    said = [each.communicate()[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert sorted(text.count("Map assets …") for text in said) == [0, 1]


def test_a_word_set_up_does_not_know_is_refused(checkout):
    assert _set_up(checkout, mode="everything").returncode == 2
