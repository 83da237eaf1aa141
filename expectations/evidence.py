"""What the gate's own detectors say of each candidate row, as columns that expectations judge.

The detectors (`veil.detect`) share nothing with those that cleaned the data. Known identifiers come as a table to
join, never as an argument: an argument would stand in the validation result.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from veil import modalities, vault
from veil.contracts import Profile
from veil.detect.tokens import known_tokens
from veil.lake import Lake, Write, names
from veil.modalities.base import Candidate, Gate
from veil.objects import ObjectStore

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROW_KEY = "row_id"
DETECTORS = "detector_rules"
KNOWN = "known_rules"
OBJECT = "object_state"
INTACT = "intact"
KNOWN_RULE = "known-identifier"
_CANDIDATE = (
    "row_id string, subject string, subject_uid string, content string, object_id string, sha256 string, payload binary"
)
_INSPECTED = (
    "row_id string, subject string, subject_uid string, detector_rules string, object_state string, "
    "tokens array<struct<value: string, free: boolean>>"
)
_STRONG_LENGTH = 7
_CANARY_SUBJECT = "canary"
_KNOWN_CANARIES = 3
_SAMPLE = 50
_EVERYBODY = "*"
"""The owner under which a strong token stands a second time; no uid has this form."""


@dataclass(frozen=True, slots=True)
class Planted:
    """The canaries of one run: which rows the detectors have to catch, and which the join with known identifiers."""

    detectors: frozenset[str]
    known: frozenset[str]

    @property
    def rows(self) -> frozenset[str]:
        """All planted rows."""
        return self.detectors | self.known


def gather(
    lake: Lake, candidates: DataFrame, modality: str, profile: Profile, staged_objects: str, write: Write
) -> tuple[DataFrame, Planted]:
    """Look at every candidate and at freshly planted canaries; give one row of evidence for each.

    `candidates` has (row_id, subject, subject_uid, content, object_id, sha256). The frame has (row_id, subject,
    detector_rules, known_rules, object_state); rules are comma-separated ids, empty where nothing was seen.
    """
    from pyspark.sql import functions as F

    gate = modalities.get(modality).gate
    if gate is None:
        raise ValueError(f"modality {modality} has no gate")
    canaries, planted = _plant(lake, gate, profile, textual=not modalities.get(modality).binary)
    every = (
        candidates.withColumn("payload", F.lit(None).cast("binary")).select(*names(_CANDIDATE)).unionByName(canaries)
    )
    # settled, since it is read twice below and detectors are slow
    inspected = lake.settle(
        every.mapInArrow(Inspector(modality, profile, staged_objects), _INSPECTED), "inspected", write
    )
    hits = _searched(inspected).join(_known(lake), ["value", "owner"], "left_semi")
    caught = hits.select("row_id").distinct().withColumn(KNOWN, F.lit(KNOWN_RULE))
    return (
        inspected.join(caught, "row_id", "left")
        .withColumn(KNOWN, F.coalesce(KNOWN, F.lit("")))
        .select("row_id", "subject", DETECTORS, KNOWN, OBJECT)
    ), planted


@dataclass(frozen=True, slots=True)
class Inspector:
    """Runs a modality's gate over candidates, on the workers. A detector that fails counts as a hit."""

    modality: str
    profile: Profile
    staged_objects: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give (row_id, subject, subject_uid, detector_rules, tokens) for each candidate."""
        gate = modalities.get(self.modality).gate
        if gate is None:
            raise ValueError(f"modality {self.modality} has no gate")
        store = ObjectStore(self.staged_objects)
        for batch in batches:
            rows = [self._row(gate, store, row) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)

    def _row(self, gate: Gate, store: ObjectStore, row: dict[str, Any]) -> dict[str, Any]:
        inspected = {name: row[name] for name in ("row_id", "subject", "subject_uid")}
        try:
            payload, state = _payload(row, store)
            candidate = Candidate(row["content"], payload)
            rules = gate.detect(candidate, self.profile)
            tokens = [{"value": token.value, "free": token.free} for token in gate.tokens(candidate)]
        except Exception as error:  # noqa: BLE001 - whatever breaks a detector must not pass the gate
            return {**inspected, DETECTORS: f"failed-detector {type(error).__name__}", OBJECT: "unread", "tokens": []}
        return {**inspected, DETECTORS: ",".join(rules), OBJECT: state, "tokens": tokens}


def _payload(row: dict[str, Any], store: ObjectStore) -> tuple[bytes | None, str]:
    """Read a row's object, and tell whether its bytes are those that the row names."""
    if row["payload"] is not None:
        return row["payload"], INTACT
    if row["object_id"] is None:
        return None, "none"
    payload = store.get(row["object_id"])
    return payload, INTACT if hashlib.sha256(payload).hexdigest() == row["sha256"] else "altered"


_SCHEMA = pa.schema(
    [
        ("row_id", pa.string()),
        ("subject", pa.string()),
        ("subject_uid", pa.string()),
        (DETECTORS, pa.string()),
        (OBJECT, pa.string()),
        ("tokens", pa.list_(pa.struct([("value", pa.string()), ("free", pa.bool_())]))),
    ]
)


def _searched(inspected: DataFrame) -> DataFrame:
    """Give the tokens of the rows with whose identifiers they are compared: (row_id, value, owner).

    Owners are the row's subject and, of a token that is no code, everybody. Each is a row of its own, so that the
    join is one of equal keys: of a word that is in many rows and belongs to many, pairs would be too many.
    """
    from pyspark.sql import functions as F

    tokens = inspected.select("row_id", "subject_uid", F.explode("tokens").alias("token"))
    owners = F.array_compact(F.array("subject_uid", F.when(F.col("token.free"), F.lit(_EVERYBODY))))
    return tokens.select("row_id", F.col("token.value").alias("value"), F.explode(owners).alias("owner"))


def _known(lake: Lake) -> DataFrame:
    """Give the search tokens of all known identifiers: (value, owner), a strong one for its owner and for everybody.

    A strong token is looked for in everybody's rows: full names, and what is 7 characters or longer with a digit or a
    separator in it. A single word or a short number is only looked for in rows of its owner, or of those whom the
    owner cares for: elsewhere it would meet its everyday meaning.
    """

    return vault.known(lake).mapInArrow(_tokens_of, "value string, owner string").distinct()


def _tokens_of(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [
            {"value": token, "owner": owner}
            for row in batch.to_pylist()
            for token in known_tokens(row["kind"], row["value"])
            for owner in (row["subject_uid"], *((_EVERYBODY,) if _is_strong(token, row["kind"], row["role"]) else ()))
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=_TOKENS)


_TOKENS = pa.schema([("value", pa.string()), ("owner", pa.string())])


def _is_strong(token: str, kind: str, role: str) -> bool:
    if role == "organization" or kind in ("DATE", "LOCATION", "ORGANIZATION"):
        return False
    return " " in token or (len(token) >= _STRONG_LENGTH and any(not character.isalpha() for character in token))


def _plant(lake: Lake, gate: Gate, profile: Profile, *, textual: bool) -> tuple[DataFrame, Planted]:
    """Make the canaries of a run, under row ids that only this run knows.

    Those for the join are made on a worker out of identifiers of the vault, so that none is ever in a plan.
    """
    rows = [
        (secrets.token_hex(16), _CANARY_SUBJECT, None, canary.content, None, None, canary.payload)
        for canary in gate.canaries(profile)
    ]
    frame = lake.spark.createDataFrame(rows, _CANDIDATE)
    detectors = frozenset(str(row[0]) for row in rows)
    if not textual:
        return frame, Planted(detectors, frozenset())
    ids = [secrets.token_hex(16) for _ in range(_KNOWN_CANARIES)]
    some = vault.table(lake, vault.IDENTITIES).where("role = 'subject' AND kind IN ('NAME', 'MRN', 'SSN', 'PHONE')")
    known = some.limit(_SAMPLE).coalesce(1).mapInArrow(_KnownCanaries(ids), _CANDIDATE)
    return frame.unionByName(known), Planted(detectors, frozenset(ids))


@dataclass(frozen=True, slots=True)
class _KnownCanaries:
    """Makes one canary for each of `ids`, each holding a known identifier; none if nothing is known."""

    ids: list[str]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known = [row for batch in batches for row in batch.to_pylist() if known_tokens(row["kind"], row["value"])]
        rows = [
            {
                "row_id": row_id,
                "subject": _CANARY_SUBJECT,
                "subject_uid": row["subject_uid"],
                "content": json.dumps({"note": f"seen with {row['value']} today"}, ensure_ascii=False),
            }
            for row_id, row in zip(self.ids, itertools.cycle(known), strict=False)
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=_CANARY)


_TEXT = ("row_id", "subject", "subject_uid", "content", "object_id", "sha256")
_CANARY = pa.schema([*((name, pa.string()) for name in _TEXT), ("payload", pa.binary())])
