"""The closing scan: known values in everything that a run wrote, whatever format and name it has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veil.detect._containers import MAX_DEPTH, Unreadable, inside, is_parquet
from veil.detect._matcher import Matcher

_JOINTS = re.compile(r"[_+.\-]|%20")


@dataclass(frozen=True, slots=True)
class Hit:
    """A known value in a file, or a file whose content is unknown; never the value.

    `path` is relative to the scanned root; when the path itself holds a value it is shown up to the last part that
    is clean. `label` is the needle's, empty for an unreadable file. `how` is the chain of decodings that led to it,
    such as ``parquet > base64 > raw``, ``name`` or ``unreadable``.
    """

    path: str
    label: str
    how: str


def scan(root: Path, needles: Mapping[str | bytes, str], *, exclude: Sequence[Path] = ()) -> list[Hit]:
    """Search every file under a folder, and the names of files and folders, for known values.

    Text is found in any case and in UTF-8, UTF-16, JSON and URL escapes and base64, as a whole word or number; in files
    as they are and in the values of Parquet, SQLite, gzip, zstd and zip, nested ones too. A file is held in memory.

    Parameters
    ----------
    root
        Folder to search.
    needles
        Value to label: what to search, and what to call it in a hit. At least four bytes each.
    exclude
        Files and folders to leave out.

    Returns
    -------
    list of Hit
        In the order of the walk; a file that cannot be read or decoded is a hit with how ``unreadable``.

    Raises
    ------
    VeilError
        When a needle has fewer than four bytes.
    """
    matcher = Matcher(needles)
    left_out = {path.resolve() for path in exclude}
    hits: dict[Hit, None] = {}
    for path in _walk(root, left_out, hits):
        shown, named = _named(path.relative_to(root), matcher)
        hits |= dict.fromkeys(Hit(shown, label, "name") for label in named)
        if path.is_symlink():
            found = {(label, "link") for label, _ in matcher.search(os.readlink(path).encode())}
        elif path.is_dir():
            continue
        else:
            found = _file(path, matcher)
        hits |= dict.fromkeys(Hit(shown, label, how) for label, how in sorted(found))
    return list(hits)


def _walk(root: Path, left_out: set[Path], hits: dict[Hit, None]) -> Iterator[Path]:
    if not root.is_dir():
        hits[Hit(".", "", "unreadable")] = None

    def unreadable(_: OSError) -> None:
        hits[Hit(".", "", "unreadable")] = None

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if Path(folder, name).resolve() not in left_out)
        for name in sorted([*folders, *files]):
            path = Path(folder, name)
            if path.resolve() not in left_out:
                yield path


def _named(path: Path, matcher: Matcher) -> tuple[str, list[str]]:
    shown: list[str] = []
    labels: set[str] = set()
    for part in path.parts:
        spelled = f"{part}\n{_JOINTS.sub(' ', part)}".encode("utf-8", "surrogateescape")
        found = {label for label, _ in matcher.search(spelled)}
        for _, decoded in inside(spelled):
            found |= {label for label, _ in matcher.search(decoded)}
        shown.append("…" if found else part)
        labels |= found if part == path.name else set()
    return "/".join(shown), sorted(labels)


def _file(path: Path, matcher: Matcher) -> set[tuple[str, str]]:
    try:
        data = path.read_bytes()
        log = path.with_name(f"{path.name}-wal")
        wal = log.read_bytes() if log.is_file() else b""
    except FileNotFoundError:
        return set()  # another task's temporary file: what it became is searched under its name
    except OSError:
        return {("", "unreadable")}
    return _content(data, matcher, (), wal)


def _content(data: bytes, matcher: Matcher, chain: tuple[str, ...], wal: bytes = b"") -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    decoded = False
    try:
        if len(chain) >= MAX_DEPTH:
            raise Unreadable("nested too deep")
        for how, part in inside(data, wal, encodings=chain.count("escape") + chain.count("base64")):
            found |= _content(part, matcher, (*chain, how))
        decoded = True
    except Unreadable:
        found.add(("", "unreadable"))
    if not (decoded and is_parquet(data)):
        found |= {(label, " > ".join((*chain, form))) for label, form in matcher.search(data)}
    return found
