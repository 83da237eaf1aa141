"""What a demo drop holds that must never be published: the answer key of its checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from veil.contracts import Kind


@dataclass(frozen=True, slots=True)
class Planted:
    """One identifier that the drop holds, distinctive enough to be searched for in bytes.

    `path` is relative to the drop. `where` is the element ("Patient.name"), a column, or a part of a file ("EXIF").
    What `path` encodes (an attachment in base64) is to be decoded before it is searched.
    """

    kind: Kind
    value: str = field(repr=False)
    path: str = field(repr=False)
    where: str


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The answer key of one drop. It holds identifiers: keep it where the drop itself may be kept.

    Attributes
    ----------
    identifiers
        Everything planted; none of these values may be found in what is published.
    gate_leak
        The identifier that an anonymizer has to leave in place and only the gate can catch.
    leak_record
        The key of the record whose note holds it, ``DocumentReference/<id>``.
    denied_patient
        The id of the patient whose consent statement denies any use.
    corrupt_file
        The file that is cut off, relative to the drop.
    orphan_record
        The key of the record whose subject does not exist.
    counts
        Number of well-formed records by FHIR resource type, in ``fhir/`` and ``bundle/`` together, the orphan and the
        denied patient's included, the malformed line and deletions not; and of rows by CSV table, ``csv/<table>``.
    """

    identifiers: tuple[Planted, ...] = field(repr=False)
    gate_leak: Planted
    leak_record: str = field(repr=False)
    denied_patient: str = field(repr=False)
    corrupt_file: str = field(repr=False)
    orphan_record: str = field(repr=False)
    counts: Mapping[str, int]

    def to_json(self, path: Path) -> None:
        """Write the answer key to `path`, a file outside the drop."""
        path.write_bytes(orjson.dumps(self))

    @classmethod
    def from_json(cls, path: Path) -> GroundTruth:
        """Read an answer key that `to_json` wrote."""
        raw = orjson.loads(path.read_bytes())
        raw["identifiers"] = tuple(Planted(**each) for each in raw["identifiers"])
        raw["gate_leak"] = Planted(**raw["gate_leak"])
        return cls(**raw)
