"""From the manifests of a unit's drops to the list of pieces that workers read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from veil.control import Store, registry
from veil.control.registry import Drop
from veil.errors import VeilError
from veil.ingest.parse import mismatch
from veil.ingest.work import Piece
from veil.policy.tables import ROLE_SUFFIX, TableRoles, built_in_tables, load_role_file
from veil.readers.manifest import Manifest, read_manifest
from veil.readers.ndjson import ranges

_RANGE = 32 << 20
BY_LINE = ("fhir-ndjson", "fhir-deleted")
_ROLE_FILE = "role-file"
_LARGEST_ROLE_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the drops of an intake hold: the files to read, and those that cannot be, by (drop id, file number).

    `tables` has the roles of each CSV table by (drop id, path); they come from `role_files` or are built in.
    """

    files: tuple[Piece, ...]
    problems: dict[tuple[str, int], str]
    tables: dict[tuple[str, str], TableRoles]
    role_files: tuple[Piece, ...]


def read_drops(store: Store, drops: list[Drop], sources: Collection[str]) -> Delivery:
    """Read the manifests. One that is none, or whose source is none of the site's, has its drop refused whole.

    The reason is kept in the registry. A source that nobody declared would be a world of its own: its patients would
    be strangers to their own consent statements.
    """
    files: list[Piece] = []
    role_files: list[Piece] = []
    problems: dict[tuple[str, int], str] = {}
    tables: dict[tuple[str, str], TableRoles] = {}
    for sequence, drop in enumerate(drops):
        try:
            manifest = read_manifest(drop.path / "manifest.json")
            _require_source(drop, manifest, sources)
        except VeilError as error:
            registry.refuse_drop(store, drop.drop_id, str(error))
            continue
        found = list(_pieces(drop, sequence, manifest))
        problems |= {(drop.drop_id, problem.position): problem.reason for problem in manifest.problems}
        tables |= _tables(found, problems)
        files += [piece for piece in found if piece.format != _ROLE_FILE]
        role_files += [piece for piece in found if piece.format == _ROLE_FILE]
    return Delivery(tuple(files), problems, tables, tuple(role_files))


def split(files: list[Piece]) -> list[dict[str, Any]]:
    """Cut files that are read line by line into ranges of 32 MiB; the others are one piece each."""
    work = []
    for piece in files:
        if piece.format in BY_LINE:
            work += [asdict(replace(piece, start=start, end=end)) for start, end in ranges(piece.size, _RANGE)]
        else:
            work.append(asdict(piece))
    return work


def _require_source(drop: Drop, manifest: Manifest, sources: Collection[str]) -> None:
    if drop.source not in sources:
        raise VeilError(
            "The drop's source is none of site.toml", f"Declare it there, or send as {' or '.join(sources)}"
        )
    if manifest.source != drop.source:
        raise VeilError("The manifest names another source than the folder that the drop lies in", "Land it anew")


def _roles(piece: Piece) -> TableRoles:
    """Read a role file, which decides what of its table is published, once it is what its manifest says."""
    if piece.size > _LARGEST_ROLE_FILE:
        raise VeilError("The role file is larger than 1 MiB", "A role file lists the columns of one table")
    if reason := mismatch(piece):
        raise VeilError(reason)
    return load_role_file(Path(piece.folder) / piece.path)


def _pieces(drop: Drop, sequence: int, manifest: Manifest) -> Iterator[Piece]:
    for number, entry in enumerate(manifest.files):
        yield Piece(
            drop_id=drop.drop_id,
            drop_seq=sequence,
            source=drop.source,
            folder=str(drop.path),
            file_no=number,
            path=entry.path,
            modality=entry.modality,
            format=entry.format,
            size=entry.size,
            sha256=entry.sha256,
            subject=entry.subject,
            encounter=entry.encounter,
            date=entry.date,
            start=0,
            end=entry.size,
        )


def _tables(files: list[Piece], problems: dict[tuple[str, int], str]) -> dict[tuple[str, str], TableRoles]:
    """Find the roles of each CSV table: its own role file beside it, else the built-in table of its name.

    A role file that cannot be used, or is misspelt in its case, leaves its table unknown: the built-in roles are not
    those that the sender meant.
    """
    declared: dict[tuple[str, str], TableRoles] = {}
    described = {(piece.drop_id, piece.path.lower().removesuffix(ROLE_SUFFIX)) for piece in files}
    for piece in files:
        if piece.format == _ROLE_FILE and (piece.drop_id, piece.file_no) not in problems:
            try:
                roles = _roles(piece)
            except VeilError as error:
                problems[piece.drop_id, piece.file_no] = str(error)
            else:
                declared[piece.drop_id, piece.path.lower().removesuffix(ROLE_SUFFIX)] = roles
    built_in = built_in_tables()
    found: dict[tuple[str, str], TableRoles] = {}
    for piece in files:
        place = (piece.drop_id, piece.path.lower().removesuffix(".csv"))
        roles_of = declared.get(place) if place in described else built_in.get(Path(piece.path).stem.lower())
        if piece.format == "csv" and roles_of is not None:
            found[piece.drop_id, piece.path] = roles_of
    return found
