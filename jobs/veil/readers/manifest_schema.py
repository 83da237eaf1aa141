"""The schema of a manifest, checked by hand: a hostile manifest is refused whole, and no error repeats what it says."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from veil.errors import VeilError
from veil.readers.times import utc

SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{0,63}/[A-Za-z0-9.-]{1,64}")
_IDENTIFIER = re.compile(r"identifier:[^|\s]*\|\S(.{0,254}\S)?")
_MAX_PATH = 1024
_REBUILD = "Deliver the folder without a manifest, and `veil drop` writes one."


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a drop: where it is, what it is, and for media and free-standing notes whom it is about.

    `path` is relative to the drop, `size` in bytes, `sha256` in lower-case hex; `subject` and `encounter` are
    references (``Patient/<id>``, ``Encounter/<id>``) and `date` is ISO 8601.
    """

    path: str = field(repr=False)
    modality: str
    size: int
    sha256: str
    format: str
    subject: str | None = field(default=None, repr=False)
    encounter: str | None = field(default=None, repr=False)
    date: str | None = field(default=None, repr=False)


_FIELDS = frozenset(one.name for one in fields(FileEntry))
_REQUIRED = frozenset({"path", "modality", "size", "sha256", "format"})


def checked_source(source: object) -> str:
    """Return the name of a source if it is one."""
    if not isinstance(source, str) or not SOURCE.fullmatch(source):
        raise VeilError("The source's name is not valid", "Use up to 32 of a-z, 0-9, - and _, a letter or digit first.")
    return source


def parse_manifest(data: bytes, *, version: int) -> tuple[str, int, tuple[FileEntry, ...]]:
    """Return source, version and files of a manifest's text.

    Raises
    ------
    VeilError
        The text breaks the schema; files are named by their index from 0.
    """
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise VeilError("The manifest is not valid JSON", _REBUILD) from None
    if not isinstance(document, dict) or document.keys() != {"version", "source", "files"}:
        raise VeilError("The manifest is not an object of version, source and files", _REBUILD)
    if type(document["version"]) is not int or document["version"] != version:
        raise VeilError(f"The manifest is not of version {version}", _REBUILD)
    source = checked_source(document["source"])
    if not isinstance(document["files"], list) or not document["files"]:
        raise VeilError("The manifest lists no files", "Check that the export has finished.")
    entries = (_entry(index, value) for index, value in enumerate(document["files"]))
    return source, version, checked_entries(entries)


def checked_entries(entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """Return the entries if each path is a safe one and none comes twice.

    A path is relative, in POSIX form, without hidden parts (``.`` and ``..`` are such), backslash, drive or control
    characters. Two spellings of one name in Unicode are the same file on some file systems, and so are refused.
    """
    seen: dict[str, None] = {}
    checked = []
    for index, entry in enumerate(entries):
        if not _is_safe(entry.path):
            raise VeilError(f"The path of file {index} is not a portable relative path", "Rename the file.")
        name = unicodedata.normalize("NFC", entry.path)
        if name in seen:
            raise VeilError(f"File {index} is listed twice", "List each file once.")
        seen[name] = None
        checked.append(entry)
    return tuple(checked)


def is_subject(value: str) -> bool:
    """Whether this names whom a file is about: ``Patient/<id>`` or ``identifier:<system>|<value>``."""
    patient = value.startswith("Patient/") and _REFERENCE.fullmatch(value)
    return bool(patient or _IDENTIFIER.fullmatch(value))


def is_encounter(value: str) -> bool:
    """Whether this names an encounter: ``Encounter/<id>``."""
    return value.startswith("Encounter/") and bool(_REFERENCE.fullmatch(value))


def _is_safe(path: str) -> bool:
    if not 0 < len(path) <= _MAX_PATH or "\\" in path or path[1:2] == ":":
        return False
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return False
    return all(part and not part.startswith(".") for part in path.split("/")) and path != "manifest.json"


def _entry(index: int, value: Any) -> FileEntry:
    if not isinstance(value, dict) or not _REQUIRED <= value.keys() <= _FIELDS:
        raise VeilError(f"File {index} of the manifest has not the keys of a file", _REBUILD)
    if not all(value[key] is None or isinstance(value[key], str) for key in value.keys() - {"size"}):
        raise VeilError(f"A value of file {index} of the manifest is not text", _REBUILD)
    if any(value[key] is None for key in _REQUIRED):
        raise VeilError(f"A value of file {index} of the manifest is missing", _REBUILD)
    entry = FileEntry(**value)
    wrong = _wrong(entry)
    if wrong is not None:
        raise VeilError(f"The {wrong} of file {index} of the manifest is not valid", _REBUILD)
    return entry


def _wrong(entry: FileEntry) -> str | None:
    checks = {
        "modality": _WORD.fullmatch(entry.modality),
        "format": _WORD.fullmatch(entry.format),
        "size": type(entry.size) is int and entry.size >= 0,
        "sha256": _SHA256.fullmatch(entry.sha256),
        "subject": entry.subject is None or is_subject(entry.subject),
        "encounter": entry.encounter is None or is_encounter(entry.encounter),
        "date": entry.date is None or utc(entry.date) is not None,
    }
    return next((name for name, valid in checks.items() if not valid), None)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError
    return value
