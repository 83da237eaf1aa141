"""The manifest of a drop: every file that was delivered, what it is and whom it is about.

Paths may carry identifiers. A manifest lives in the restricted zone, and nothing here names a path in an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from veil.errors import VeilError
from veil.readers.attribution import FILES_CSV, Attribution, read_attributions
from veil.readers.formats import HEAD
from veil.readers.manifest_schema import FileEntry, checked_entries, checked_source, parse_manifest
from veil.readers.problem import Problem
from veil.readers.sniff import Recogniser, sniff

MANIFEST = "manifest.json"
VERSION = 1
MAX_MANIFEST = 256 * 1024 * 1024
"""Bytes; about a million files."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a source delivered. `problems` are the files that cannot be taken, by their index in `files`."""

    source: str
    files: tuple[FileEntry, ...] = field(repr=False)
    version: int = VERSION
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> bytes:
        """The text of ``manifest.json``; problems are found again by whoever reads it."""
        document = {"version": self.version, "source": self.source, "files": [asdict(entry) for entry in self.files]}
        return json.dumps(document, ensure_ascii=False, indent=1).encode()


def read_manifest(path: Path) -> Manifest:
    """Read and check the manifest of a drop; the files beside it are looked at, but not hashed.

    Parameters
    ----------
    path
        ``manifest.json`` in the drop's folder.

    Returns
    -------
    Manifest
        With a problem for each file that is missing, is no regular file or has another size.

    Raises
    ------
    VeilError
        The manifest breaks its schema, names a path outside the drop or a file twice, or is too large.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_MANIFEST else b""
    except OSError as error:
        raise VeilError(f"The manifest cannot be read: {error.strerror}", "Check the drop's folder.") from None
    if size > MAX_MANIFEST:
        raise VeilError(f"The manifest is larger than {MAX_MANIFEST} bytes", "Deliver several smaller drops.")
    source, version, files = parse_manifest(data, version=VERSION)
    problems = []
    for index, entry in enumerate(files):
        reason = _trouble(path.parent, entry, index)
        if reason is not None:
            problems.append(Problem(index, reason))
    return Manifest(source, files, version, tuple(problems))


def build_manifest(folder: Path, source: str, recognisers: Sequence[tuple[str, Recogniser]]) -> Manifest:
    """Describe a folder that came without a manifest.

    Parameters
    ----------
    folder
        The delivered folder. Hidden files are left out; ``files.csv`` at its root says whom media are about.
    source
        The sending system.
    recognisers
        Each modality and its recogniser.

    Returns
    -------
    Manifest
        All files in the order of their paths. Nothing is written.

    Raises
    ------
    VeilError
        The folder is empty, or holds a symbolic link, a special file or a name that is no portable path; or
        ``files.csv`` is not in order.
    """
    checked_source(source)
    if not folder.is_dir():
        raise VeilError("The drop is not a folder", "Give the folder that holds the delivered files.")
    try:
        names = sorted(name for name in _walk(folder, "") if name not in (MANIFEST, FILES_CSV))
    except OSError as error:
        raise VeilError(f"The drop cannot be read: {error.strerror}", "Check the folder's permissions.") from None
    if not names:
        raise VeilError("The drop holds no files", "Check that the export has finished and give its folder.")
    about = read_attributions(folder / FILES_CSV, frozenset(names))
    entries = (_describe(folder, name, about.get(name, Attribution()), recognisers) for name in names)
    return Manifest(source, checked_entries(entries))


def inside(folder: Path, name: str) -> bool:
    """Whether a path of a manifest stays within the folder once its symbolic links are followed."""
    try:
        return (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False


def _trouble(folder: Path, entry: FileEntry, index: int) -> str | None:
    if not inside(folder, entry.path):
        raise VeilError(f"File {index} of the manifest is a link out of the drop", "Deliver the file itself.")
    try:
        status = (folder / entry.path).stat()
    except OSError:
        return "the file is missing"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return None if status.st_size == entry.size else "the size differs from the manifest"


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder / prefix) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                raise VeilError(
                    "The drop holds a symbolic link", "Find it with `find <drop> -type l`; copy its target."
                )
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(folder, f"{prefix}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield prefix + entry.name
            else:
                raise VeilError("The drop holds a special file", "Find it with `find <drop> ! -type f ! -type d`.")


def _describe(folder: Path, name: str, about: Attribution, recognisers: Sequence[tuple[str, Recogniser]]) -> FileEntry:
    try:
        # O_NOFOLLOW: the folder still belongs to its sender, who may swap a file for a link after the walk.
        with open(os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
            head = stream.read(HEAD)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError as error:
        raise VeilError(
            f"A file of the drop cannot be read: {error.strerror}", "Check the folder's permissions."
        ) from None
    modality, found = sniff(name, head, recognisers)
    return FileEntry(name, modality, size, digest, found, about.subject, about.encounter, about.date)
