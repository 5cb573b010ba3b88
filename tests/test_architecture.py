"""The rules of the house that no linter knows."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from hatchling import build
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_CHECKOUT = Path(__file__).parent.parent
_ROOTS = ("mapgrid", "geodata", "web")


def _python_files(*roots):
    found = [path for root in roots for path in sorted((_CHECKOUT / root).rglob("*.py"))]
    assert found, roots
    return found


def _committed_files():
    """Return the files that are committed or about to be, without those that git ignores."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := _CHECKOUT / name).is_file()]


def _lines_with(pattern, files):
    return [
        f"{path.relative_to(_CHECKOUT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if re.search(pattern, line)
    ]


def _without_comments(path):
    """Return a module as python would print it: without comments, and without the docstrings."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0].value = ast.Constant("")
    return ast.unparse(tree)


def test_imports_go_from_web_to_geodata_to_mapgrid_and_never_back():
    program = Path(sys.executable).parent / "lint-imports"
    finished = subprocess.run([program, "--no-cache"], cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_domain_reads_and_writes_no_file_and_no_database():
    forbidden = r"\b(read_file|to_file|read_postgis|to_postgis|read_csv|to_csv|open)\("
    for path in _python_files("mapgrid"):
        assert not re.search(forbidden, _without_comments(path)), path


def test_the_domain_reads_no_clock():
    forbidden = r"\b(datetime|date)\.(now|today|utcnow)\(|\btime\.time\("
    for path in _python_files("mapgrid"):
        assert not re.search(forbidden, _without_comments(path)), path


def test_no_module_is_longer_than_one_can_hold_in_mind():
    longest = 400
    too_long = [path for path in _python_files(*_ROOTS) if len(path.read_text().splitlines()) > longest]
    assert [path for path in too_long if "migrations" not in path.parts] == []


def test_stored_text_never_reaches_folium_which_would_run_it():
    """folium writes popups and tooltips into a script; details are fetched and set as text instead."""
    assert _lines_with(r"\b(Popup|Tooltip)\(|\b(popup|tooltip)=", _python_files("web")) == []


def test_no_page_names_another_host():
    own = [path for path in _committed_files() if path.is_relative_to(_CHECKOUT / "web") and path.suffix != ".py"]
    not_loaded = r"www\.w3\.org/|www\.openstreetmap\.org/copyright|opendatacommons\.org/licenses/"
    texts = [path for path in own if path.suffix in {".html", ".js", ".css", ".svg", ".jinja"}]
    assert _lines_with(rf"(https?:|[\"'(])//(?!{not_loaded})[\w-]+\.", texts) == []


def test_no_other_distribution_owns_our_import_names():
    owners = importlib.metadata.packages_distributions()
    assert {owner for name in _ROOTS for owner in owners.get(name, [])} <= {"mapgrid"}


def test_lock_files_name_versions_and_no_place_to_fetch_them_from():
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt"):
        pins = [line for line in (_CHECKOUT / name).read_text().splitlines() if not line.startswith("#")]
        assert pins
        assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin)] == []
    packages = json.loads((_CHECKOUT / "package-lock.json").read_text())["packages"]
    assert "node_modules/leaflet" in packages
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_lock_files_hold_what_pyproject_asks_for():
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text())["project"]
    for name, asked in (
        ("requirements.txt", project["dependencies"]),
        ("requirements-dev.txt", project["optional-dependencies"]["dev"]),
    ):
        lines = (_CHECKOUT / "requirements.txt").read_text() + (_CHECKOUT / name).read_text()
        pins = dict(line.split("==") for line in lines.splitlines() if "==" in line)
        for requirement in map(Requirement, asked):
            assert pins.get(canonicalize_name(requirement.name)) in requirement.specifier, f"make lock: {requirement}"


def test_no_committed_file_names_a_package_registry():
    hosts = "|".join([r"registry\.npmjs\." + "org", r"\bpypi\." + "org", r"pythonhosted\." + "org"])
    texts = [path for path in _committed_files() if path.suffix not in {".gpkg", ".png", ".zip"}]
    assert _lines_with(hosts, texts) == []


def test_an_installed_wheel_has_all_that_the_program_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(_CHECKOUT)
    wheel = tmp_path / build.build_wheel(str(tmp_path))
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    ours = [path.relative_to(_CHECKOUT).as_posix() for path in _committed_files() if path.parts[-2] != "tests"]
    assert {name for name in ours if name.split("/")[0] in _ROOTS} <= names
    assert not any(name.startswith("tests/") for name in names)
