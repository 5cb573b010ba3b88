"""Archives, checked as a whole before a byte is unpacked: traversal, links, nesting, size and ratio."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import defaultdict
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from geodata.files import bounds
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NESTED = {".zip", ".rar", ".7z", ".gz", ".tar", ".kmz"}
_UTF8_NAME_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_CHUNK_BYTES = 1 << 20


def check_archive(path: Path, name: str) -> None:
    """Refuse an archive that is hostile, or too large once unpacked."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    faults = [fault for member in members if (fault := _fault_of(member, name))]
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if unpacked > bounds.MOST_UNPACKED_BYTES:
        limit = f"at most {bounds.MOST_UNPACKED_BYTES // bounds.MIB} MiB once unpacked"
        faults.append(Fault(limit, f"{unpacked // bounds.MIB} MiB", file=name))
    elif unpacked > bounds.RATIO_MATTERS_ABOVE_BYTES and unpacked > packed * bounds.MOST_UNPACKED_RATIO:
        limit = f"content that unpacks to at most {bounds.MOST_UNPACKED_RATIO} times its size"
        faults.append(Fault(limit, f"{unpacked // packed} times", file=name))
    if len(members) > bounds.MOST_ARCHIVE_MEMBERS:
        faults.append(Fault(f"at most {bounds.MOST_ARCHIVE_MEMBERS} files inside", f"{len(members)}", file=name))
    if faults:
        raise InputRefusedError(faults[: bounds.MOST_FAULTS_SHOWN])


def unpack_shapefiles(path: Path, name: str, into: Path) -> dict[str, Path]:
    """Unpack the shapefiles of a checked archive and return the `.shp` of each layer, by layer name.

    Nothing is written under a name that the archive chose: the parts are called `0.shp`, `0.dbf`, `1.shp`, …
    """
    parts: dict[str, dict[str, zipfile.ZipInfo]] = defaultdict(dict)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            inner = PurePosixPath(member_name(member))
            if inner.suffix.lower() in SHAPEFILE_PARTS and "__MACOSX" not in inner.parts:
                parts[str(inner.with_suffix(""))][inner.suffix.lower()] = member
        stems = sorted(stem for stem, found in parts.items() if ".shp" in found)
        if not stems:
            raise InputRefusedError([Fault("a shapefile (.shp, .shx, .dbf) inside", _listing(archive), file=name)])
        for number, stem in enumerate(stems):
            for suffix, member in parts[stem].items():
                _unpack(archive, member, into / f"{number}{suffix}", name)
    return {PurePosixPath(stem).name: into / f"{number}.shp" for number, stem in enumerate(stems)}


def member_name(member: zipfile.ZipInfo) -> str:
    """Return the name of a member, undoing the code page that Chinese Windows packs names in."""
    if member.flag_bits & _UTF8_NAME_FLAG:
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _fault_of(member: zipfile.ZipInfo, name: str) -> Fault | None:
    inner = member_name(member)
    steps = (*PurePosixPath(inner).parts, *PureWindowsPath(inner).parts)
    if ".." in steps or inner.startswith(("/", "\\")) or PureWindowsPath(inner).drive:
        return Fault("names that stay inside the archive", inner, file=name)
    if stat.S_ISLNK(member.external_attr >> 16):
        return Fault("plain files inside the archive", f"a link, {inner}", file=name)
    if PurePosixPath(inner).suffix.lower() in _NESTED:
        return Fault("no archive inside the archive", inner, file=name, hint="unpack it first")
    if member.flag_bits & _ENCRYPTED_FLAG:
        return Fault("an archive without a password", f"{inner} is encrypted", file=name)
    return None


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, name: str) -> None:
    # The size in the directory of an archive is a claim: count what really comes out.
    left = member.file_size
    try:
        with archive.open(member) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    fault = Fault("the size the archive states", "more", file=name, hint="pack it again")
                    raise InputRefusedError([fault])
                sink.write(chunk)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as error:
        fault = Fault("a readable archive", f"{member_name(member)} is damaged", file=name, hint="pack it again")
        raise InputRefusedError([fault]) from error


def _listing(archive: zipfile.ZipFile) -> str:
    names = [member_name(member) for member in archive.infolist() if not member.is_dir()]
    if not names:
        return "an empty archive"
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
