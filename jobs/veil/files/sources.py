"""The files of a folder, and the records in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from veil import modalities
from veil.contracts import Consent, KnownIdentifier, Malformed, Record
from veil.errors import VeilError
from veil.policy.tables import ROLE_SUFFIX, TableRoles, built_in_tables, load_role_file
from veil.readers import fhir, ndjson, table
from veil.readers.archive import members
from veil.readers.dicom import described, patient_of
from veil.readers.formats import HEAD
from veil.readers.problem import Problem
from veil.readers.sniff import UNKNOWN, sniff
from veil.readers.whole import read_whole

_WANTED = {
    "text": "a note is a .txt file in UTF-8",
    "tabular": "records are .ndjson, .json Bundles or .csv, in UTF-8",
    "dicom": "objects are DICOM files (PS3.10), or .zip archives of them",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the folder; `name` is its path in it, and `place` the first part of that: whose file it is."""

    path: Path
    name: str

    @property
    def place(self) -> str:
        """The folder directly below the input that the file is in, or the file itself."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """A note or a record, before it is cleaned."""

    source: Source
    position: int
    type: str
    key: str
    subject: str | None = field(repr=False)
    content: str = field(repr=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)
    references: tuple[str, ...] = field(default=(), repr=False)
    known: tuple[KnownIdentifier, ...] = field(default=(), repr=False)
    columns: dict[str, str] | None = None
    consent: Consent | None = None
    payload: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """What cannot be read or cleaned, and why; the reason never holds a value."""

    name: str
    position: int
    reason: str


def sources(folder: Path, prefix: str = "") -> Iterator[Source | Skipped]:
    """Walk a folder in the order of names. Links and special files are skipped with a reason, dot files silently."""
    for entry in sorted(os.scandir(folder / prefix), key=lambda entry: entry.name):
        name = prefix + entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            yield Skipped(name, 0, "a symbolic link is not followed: copy its target")
        elif entry.is_dir():
            try:
                yield from sources(folder, f"{name}/")
            except OSError as error:
                yield Skipped(name, 0, f"the folder cannot be read: {error.strerror}")
        elif entry.is_file():
            yield Source(Path(entry.path), name)
        else:
            yield Skipped(name, 0, "neither a file nor a folder")


def entries(source: Source, modality: str) -> Iterator[Entry | Skipped]:
    """Read what a file holds of a modality: ``text``, ``tabular`` or ``dicom``."""
    try:
        with source.path.open("rb") as stream:
            head = stream.read(HEAD)
        found, form = sniff(source.name, head, modalities.recognisers())
        if form == "role-file":
            return
        if found != modality:
            what = "of no kind that is known" if found == UNKNOWN else found
            yield Skipped(source.name, 0, f"the file is {what}, not {modality}: {_WANTED[modality]}")
            return
        if form == "dicom-zip":
            yield from _archive(source)
        elif modality == "dicom":
            yield from _object(source, 0, read_whole(source.path))
        else:
            yield from _note(source) if modality == "text" else _records(source, form)
    except (Malformed, VeilError) as error:
        yield Skipped(source.name, 0, str(error))
    except OSError as error:
        yield Skipped(source.name, 0, f"the file cannot be read: {error.strerror}")


def _note(source: Source) -> Iterator[Entry]:
    try:
        text = read_whole(source.path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("the note is not valid UTF-8: convert it, as with iconv -f latin1 -t utf-8") from None
    yield Entry(source, 0, "text", source.name, source.place, text)


def _object(source: Source, position: int, payload: bytes) -> Iterator[Entry]:
    """Give a DICOM object under the ID of its patient; a DICOMDIR is no object, and what it lists lies beside it."""
    about = patient_of(payload)
    if not about.is_directory:
        key = f"{source.name}#{position}"
        subject = f"{about.issuer}|{about.patient}" if about.patient else source.place
        said = described(payload)
        yield Entry(source, position, "dicom", key, subject, "", references=said.references, payload=payload)


def _archive(source: Source) -> Iterator[Entry | Skipped]:
    for found in members(source.path):
        if isinstance(found, Problem):
            yield _skipped(source, found)
        elif sniff(found.name, found.payload[:HEAD], modalities.recognisers())[1] == "dicom":
            yield from _object(source, found.position, found.payload)
        else:
            yield Skipped(source.name, found.position, "a file in the archive is no DICOM object")


def _records(source: Source, form: str) -> Iterator[Entry | Skipped]:
    if form == "csv":
        yield from _rows(source)
    elif form == "fhir-bundle":
        for position, found in enumerate(fhir.parse_bundle(read_whole(source.path))):
            yield _skipped(source, found) if isinstance(found, Problem) else _entry(source, position, found)
    elif form == "fhir-ndjson":
        with source.path.open("rb") as stream:
            for line in ndjson.lines(stream, 0, source.path.stat().st_size):
                yield from _line(source, line)
    else:
        raise Malformed(f"{form} is not read here")


def _line(source: Source, line: ndjson.Line) -> Iterator[Entry | Skipped]:
    if line.data is None:
        yield Skipped(source.name, line.offset, line.problem or "the line cannot be read")
    elif line.data.strip():
        try:
            yield _entry(source, line.offset, fhir.parse(line.data))
        except Malformed as error:
            yield Skipped(source.name, line.offset, str(error))


def _rows(source: Source) -> Iterator[Entry | Skipped]:
    roles = _roles(source.path)
    with source.path.open("rb") as stream:
        for position, found in enumerate(table.rows(stream, roles)):
            if isinstance(found, Problem):
                yield _skipped(source, found)
            else:
                yield _entry(source, position, found, dict(roles.columns))


def _roles(path: Path) -> TableRoles:
    wanted = path.name.lower().removesuffix(".csv") + ROLE_SUFFIX
    beside = [each for each in path.parent.iterdir() if each.name.lower() == wanted]
    if beside:
        return load_role_file(beside[0])
    built_in = built_in_tables().get(path.stem.lower())
    if built_in is None:
        raise Malformed("no role file declares the columns of this table: add <name>.columns.toml beside it")
    return built_in


def _entry(source: Source, position: int, record: Record, columns: dict[str, str] | None = None) -> Entry:
    return Entry(
        source=source,
        position=position,
        type=record.type,
        key=record.key,
        subject=record.subject,
        content=record.content,
        aliases=record.aliases,
        references=record.references,
        known=record.known,
        columns=columns,
        consent=record.consent,
    )


def _skipped(source: Source, problem: Problem) -> Skipped:
    return Skipped(source.name, problem.position, problem.reason)
