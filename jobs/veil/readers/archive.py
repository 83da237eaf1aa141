"""Zip archives, read one file at a time: what is announced is checked before anything is inflated."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from veil.contracts import Malformed
from veil.readers.problem import Problem
from veil.readers.whole import LARGEST

MOST_FILES = 100_000
MOST_BYTES = 64 << 30
"""Of all files of an archive together, inflated."""
_ENCRYPTED = 1


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; its name may carry identifiers."""

    position: int
    name: str = field(repr=False)
    payload: bytes = field(repr=False)


def members(path: Path) -> Iterator[Member | Problem]:
    """Read the files of a zip archive, each of at most 256 MiB; one that cannot be read does not stop the others.

    Raises
    ------
    Malformed
        The archive is damaged, or holds more than 100,000 files or 64 GiB.
    OSError
        It cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_FILES or sum(member.file_size for member in listed) > MOST_BYTES:
                raise Malformed(f"the archive holds more than {MOST_FILES:,} files or {MOST_BYTES >> 30} GiB: split it")
            for position, member in enumerate(listed):
                if not member.is_dir():
                    yield _read(archive, position, member)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise Malformed("the archive is damaged: unpack it, and send what can be read") from None


def _read(archive: zipfile.ZipFile, position: int, member: zipfile.ZipInfo) -> Member | Problem:
    if member.flag_bits & _ENCRYPTED or member.file_size > LARGEST:
        reason = f"a file in the archive is encrypted, or larger than {LARGEST >> 20} MiB: unpack it, and split it"
        return Problem(position, reason)
    try:
        with archive.open(member) as stream:
            payload = stream.read(LARGEST + 1)
    except Exception:  # noqa: BLE001 - each compression has errors of its own
        return Problem(position, "a file in the archive is damaged, or its compression is not read: unpack it")
    if len(payload) > LARGEST:
        return Problem(position, f"a file in the archive is larger than {LARGEST >> 20} MiB: split it")
    return Member(position, member.filename, payload)
