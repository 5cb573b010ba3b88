"""What a person writes to name an input: `FILE` or `FILE:LAYER`."""

from __future__ import annotations

from pathlib import Path

from mapgrid.errors import Fault, InputRefusedError


def split_spec(spec: str) -> tuple[Path, str | None]:
    """Return the file and the layer that a spec names.

    A file whose own name holds a colon wins over a layer of a shorter name, and the colon of a Windows drive never
    starts a layer: the longest existing file at the start of the spec is the file.
    """
    try:
        whole = Path(spec)
        if spec.strip() and whole.exists():
            return _checked(whole, spec), None
        for at in sorted(_colons(spec), reverse=True):
            if Path(spec[:at]).is_file() and spec[at + 1 :]:
                return Path(spec[:at]), spec[at + 1 :]
    except OSError as error:  # a name too long, a directory that may not be entered
        found = error.strerror or type(error).__name__
        raise InputRefusedError([Fault("a file that can be read", found, file=spec[:200])]) from error
    found = "nothing there" if spec.strip() else "an empty name"
    raise InputRefusedError([Fault("a file, or FILE:LAYER", found, file=spec, hint="check the path")])


def shown_name(path: Path) -> str:
    """Return the name of a file as text; the bytes of a name in another encoding become question marks."""
    return path.name.encode("utf-8", "replace").decode("utf-8")


def _checked(path: Path, spec: str) -> Path:
    if path.is_dir():
        hint = "name the file inside it; a shapefile is named by its .shp or as one .zip"
        raise InputRefusedError([Fault("a file", "a directory", file=spec, hint=hint)])
    if not path.is_file():
        raise InputRefusedError([Fault("a regular file", "a device or a pipe", file=spec)])
    return path


def _colons(spec: str) -> list[int]:
    drive = 1 if len(spec) > 2 and spec[0].isalpha() and spec[1] == ":" and spec[2] in "\\/" else -1
    return [at for at, sign in enumerate(spec) if sign == ":" and at > 0 and at != drive]
