"""From the manifests of a unit's drops to the list of pieces that workers read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from veil.control import Store, registry
from veil.control.registry import Drop
from veil.errors import VeilError
from veil.ingest.work import Piece
from veil.policy.tables import TableRoles, load_role_file, load_tables
from veil.readers.manifest import Manifest, read_manifest
from veil.readers.ndjson import ranges

_RANGE = 32 << 20
_BY_LINE = ("fhir-ndjson", "fhir-deleted")
_BUILT_IN = Path(__file__).parents[1] / "packs" / "tables" / "synthea.toml"
_ROLE_FILE = "role-file"
_ROLE_SUFFIX = ".columns.toml"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the drops of an intake hold: the files to read, and those that cannot be, by (drop id, file number)."""

    files: tuple[Piece, ...]
    problems: dict[tuple[str, int], str]
    tables: dict[tuple[str, str], TableRoles]


def read_drops(store: Store, drops: list[Drop]) -> Delivery:
    """Read the manifests. A drop whose manifest is no manifest is refused whole, with the reason in the registry."""
    files: list[Piece] = []
    problems: dict[tuple[str, int], str] = {}
    tables: dict[tuple[str, str], TableRoles] = {}
    for sequence, drop in enumerate(drops):
        try:
            manifest = read_manifest(drop.path / "manifest.json")
        except VeilError as error:
            registry.refuse_drop(store, drop.drop_id, str(error))
            continue
        found = list(_pieces(drop, sequence, manifest))
        problems |= {(drop.drop_id, problem.position): problem.reason for problem in manifest.problems}
        tables |= _tables(found, problems)
        files += [piece for piece in found if piece.format != _ROLE_FILE]
    return Delivery(tuple(files), problems, tables)


def split(files: list[Piece]) -> list[dict[str, Any]]:
    """Cut files that are read line by line into ranges of 32 MiB; the others are one piece each."""
    work = []
    for piece in files:
        if piece.format in _BY_LINE:
            work += [asdict(replace(piece, start=start, end=end)) for start, end in ranges(piece.size, _RANGE)]
        else:
            work.append(asdict(piece))
    return work


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
    """Find the roles of each CSV table: its own role file beside it, else the built-in table of its name."""
    declared: dict[tuple[str, str], TableRoles] = {}
    for piece in files:
        if piece.format == _ROLE_FILE and (piece.drop_id, piece.file_no) not in problems:
            try:
                roles = load_role_file(Path(piece.folder) / piece.path)
            except VeilError as error:
                problems[piece.drop_id, piece.file_no] = str(error)
            else:
                declared[piece.drop_id, piece.path.removesuffix(_ROLE_SUFFIX) + ".csv"] = roles
    built_in = load_tables(_BUILT_IN)
    for piece in files:
        name = Path(piece.path).stem.lower()
        if piece.format == "csv" and (piece.drop_id, piece.path) not in declared and name in built_in:
            declared[piece.drop_id, piece.path] = built_in[name]
    return declared
