"""Archives, checked as a whole before a byte is unpacked: traversal, links, nesting, size and ratio."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import defaultdict
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from xml.sax import SAXException  # the exception only
from xml.sax.handler import ContentHandler

import defusedxml.sax
from defusedxml.common import DefusedXmlException

from geodata.files import bounds
from geodata.files.content import READABLE
from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from pathlib import Path

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NESTED = {".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".kmz", ".xlsx", ".docx"}
_XML_SUFFIXES = {".xml", ".rels", ".vml"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError)
_END, _LARGE_END = b"PK\x05\x06", b"PK\x06\x06"
_TAIL_BYTES = 22 + 65535 + 20 + 56  # the end record with the longest remark, and the two 64-bit records before it
_UTF8_NAME_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_CHUNK_BYTES = 1 << 20


def check_archive(path: Path, name: str) -> None:
    """Refuse an archive that is hostile, damaged, or too large once unpacked."""
    if _directory_bytes(path) > bounds.MOST_DIRECTORY_BYTES:
        raise InputRefusedError([_too_many("more", name)])
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        hint = "pack it again"
        raise InputRefusedError([Fault(READABLE, "a damaged zip archive", file=name, hint=hint)]) from error
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
        faults.append(_too_many(f"{len(members)}", name))
    if faults:
        raise InputRefusedError(faults[: bounds.MOST_FAULTS_SHOWN])


def is_workbook(path: Path) -> bool:
    """Return whether a checked archive is an XLSX."""
    with zipfile.ZipFile(path) as archive:
        return {"[Content_Types].xml", "xl/workbook.xml"} <= set(archive.namelist())


def check_xml(path: Path, name: str) -> None:
    """Refuse a workbook with XML that is not well-formed or has a document type: entities fill memory, read files."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if PurePosixPath(member.filename).suffix.lower() in _XML_SUFFIXES:
                _check_part(archive, member, name)


def _check_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    try:
        with archive.open(member) as part:
            defusedxml.sax.parse(part, ContentHandler(), forbid_dtd=True)
    except DefusedXmlException as error:
        fault = Fault(
            "XLSX without a document type or entities", type(error).__name__, file=name, layer=member.filename
        )
        raise InputRefusedError([fault]) from error
    except SAXException as error:
        found = f"{member.filename}: {error.getMessage()}"
        raise InputRefusedError([Fault("a readable XLSX", found, file=name, hint="save it again")]) from error
    except _DAMAGED as error:
        raise InputRefusedError([_damaged(member, name)]) from error


def unpack_shapefiles(path: Path, name: str, into: Path) -> dict[str, str]:
    """Unpack the shapefiles of a checked archive and return the `.shp` of each layer in `into`, by layer name.

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
    return {PurePosixPath(stem).name: f"{number}.shp" for number, stem in enumerate(stems)}


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
    except _DAMAGED as error:
        raise InputRefusedError([_damaged(member, name)]) from error


def _damaged(member: zipfile.ZipInfo, name: str) -> Fault:
    return Fault("a readable archive", f"{member_name(member)} is damaged", file=name, hint="pack it again")


def _too_many(found: str, name: str) -> Fault:
    return Fault(f"at most {bounds.MOST_ARCHIVE_MEMBERS} files inside", found, file=name)


def _directory_bytes(path: Path) -> int:
    """Return the size an archive states for its directory; 0 where it states none, which `zipfile` then refuses."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 16:
        return 0
    return max(int.from_bytes(tail[at + 12 : at + 16], "little"), _large_directory_bytes(tail, at))


def _large_directory_bytes(tail: bytes, end: int) -> int:
    """Return the size that the second, 64-bit end record states, which counts for more where it is there."""
    at = tail.rfind(_LARGE_END, 0, end)
    return int.from_bytes(tail[at + 40 : at + 48], "little") if at >= 0 else 0


def _listing(archive: zipfile.ZipFile) -> str:
    names = [member_name(member) for member in archive.infolist() if not member.is_dir()]
    if not names:
        return "an empty archive"
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
