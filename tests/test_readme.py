"""What the README tells people to type exists, in both languages alike."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from web.cli import main

_CHECKOUT = Path(__file__).parent.parent
_READMES = ("README.md", "README.zh.md")


def _commands(readme):
    """Return the lines of the README's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (_CHECKOUT / readme).read_text(), flags=re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if line.strip()]


def _mapgrid_commands(readme):
    text = (_CHECKOUT / readme).read_text()
    inline = [shlex.split(code) for code in re.findall(r"`(\.venv/bin/mapgrid [^`]+)`", text)]
    return [words[1:] for words in _commands(readme) + inline if words[0] == ".venv/bin/mapgrid"]


def _command_of(words):
    """Follow words into the command line and return the command and the words that are left."""
    command, context = main, click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words[0]}"
        command, context, words = found, click.Context(found, parent=context), words[1:]
    return command, words


def test_both_languages_tell_the_same_commands():
    assert _commands("README.md") == _commands("README.zh.md")


def test_every_make_target_of_the_readme_exists():
    asked = {words[words.index("make") + 1] for words in _commands("README.md") if "make" in words}
    assert asked >= {"run", "test"}
    for target in asked:
        subprocess.run(["make", "--dry-run", target], cwd=_CHECKOUT, check=True, capture_output=True)


def test_make_alone_tells_every_target():
    told = subprocess.run(["make"], cwd=_CHECKOUT, check=True, capture_output=True, text=True).stdout
    targets = re.search(r"\.PHONY: (.*)", (_CHECKOUT / "Makefile").read_text())[1].split()
    assert all(f"make {target}" in told for target in targets)


@pytest.mark.parametrize("words", _mapgrid_commands("README.md"), ids=" ".join)
def test_every_command_line_of_the_readme_is_understood(words):
    command, rest = _command_of(words)
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    asked = {word.split("=")[0] for word in rest if word.startswith("-")}
    assert asked <= options | {"--help", "-h"}


def test_every_command_explains_itself():
    names = main.list_commands(click.Context(main))
    assert {"db", "demo", "import", "partition", "serve"} <= set(names)
    for name in names:
        command, _ = _command_of([name])
        assert command.help


@pytest.mark.parametrize("readme", _READMES)
def test_every_link_of_the_readme_leads_somewhere(readme):
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)\)", (_CHECKOUT / readme).read_text())
    assert links
    assert [link for link in links if not (_CHECKOUT / link).exists()] == []
