"""The gate's look at one candidate, as a worker does it: without Spark, over an Arrow batch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest

from expectations import evidence
from expectations.evidence import DETECTORS, INTACT, OBJECT, Inspector
from veil import modalities
from veil.contracts import Profile
from veil.modalities.base import Candidate
from veil.objects import ObjectStore

NAME = "Quillon Vasterby"
COLUMNS = ("row_id", "subject", "subject_uid", "content", "object_id", "sha256")
SCHEMA = pa.schema([*((name, pa.string()) for name in COLUMNS), ("payload", pa.binary())])
GATED = sorted(name for name, modality in modalities.registered().items() if modality.gate)


def inspect(
    modality: str, rows: list[dict[str, Any]], folder: Path, profile: Profile = "safe_harbor"
) -> list[dict[str, Any]]:
    batch = pa.RecordBatch.from_pylist([{"row_id": "r", "subject": "s", **row} for row in rows], schema=SCHEMA)
    (seen,) = Inspector(modality, profile, str(folder))(iter([batch]))
    return list(seen.to_pylist())


@pytest.mark.parametrize("profile", get_args(Profile))
@pytest.mark.parametrize("modality", GATED)
def test_every_canary_of_a_modality_is_caught_by_its_own_detectors(
    modality: str, profile: Profile, tmp_path: Path
) -> None:
    gate = modalities.get(modality).gate
    assert gate
    canaries = [{"content": canary.content, "payload": canary.payload} for canary in gate.canaries(profile)]
    assert canaries
    seen = inspect(modality, canaries, tmp_path, profile)
    assert [row[DETECTORS] for row in seen if not row[DETECTORS] or "failed-detector" in row[DETECTORS]] == []


def test_a_clean_candidate_is_named_by_no_rule(tmp_path: Path) -> None:
    (seen,) = inspect("text", [{"content": "Seen today with a cough, which is better."}], tmp_path)
    assert (seen[DETECTORS], seen[OBJECT]) == ("", "none")


@pytest.mark.parametrize("part", ["detect", "tokens"])
def test_a_detector_that_raises_is_a_hit_and_quotes_nothing(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(candidate: Candidate, *_: object) -> Any:
        raise ValueError(f"cannot read {candidate.content}")

    text = modalities.get("text")
    assert text.gate
    blind = replace(text.gate, detect=fails) if part == "detect" else replace(text.gate, tokens=fails)
    broken = replace(text, gate=blind)
    monkeypatch.setattr(modalities, "get", lambda _name: broken)
    (seen,) = inspect("text", [{"content": f"{NAME} was seen"}], tmp_path)
    assert seen[DETECTORS] == "failed-detector ValueError"
    assert seen[OBJECT] != INTACT
    assert "Vasterby" not in json.dumps(seen)


def test_a_candidate_that_the_detectors_cannot_parse_is_a_hit_and_its_neighbours_are_still_seen(tmp_path: Path) -> None:
    broken, clean = inspect("tabular", [{"content": '{"resourceType": "Pat'}, {"content": "{}"}], tmp_path)
    assert broken[DETECTORS].startswith("failed-detector")
    assert "failed-detector" not in clean[DETECTORS]


def test_an_object_is_intact_altered_or_missing(tmp_path: Path) -> None:
    gate = modalities.get("photo").gate
    assert gate
    payload = gate.canaries("safe_harbor")[0].payload
    assert payload
    digest = ObjectStore(tmp_path).put("ab1", payload)
    ObjectStore(tmp_path).put("ab2", payload + b"!")
    rows = [{"content": "{}", "object_id": name, "sha256": digest} for name in ("ab1", "ab2", "ab3")]
    intact, altered, missing = inspect("photo", rows, tmp_path)
    assert (intact[OBJECT], altered[OBJECT]) == (INTACT, "altered")
    assert missing[OBJECT] not in (INTACT, "altered")
    assert missing[DETECTORS].startswith("failed-detector")


def test_a_binary_candidate_without_its_object_is_a_hit(tmp_path: Path) -> None:
    (seen,) = inspect("photo", [{"content": "{}"}], tmp_path)
    assert seen[DETECTORS]
    assert seen[OBJECT] != INTACT


def test_a_modality_without_a_gate_is_never_inspected(tmp_path: Path) -> None:
    held = next(name for name, modality in modalities.registered().items() if modality.gate is None)
    with pytest.raises(ValueError, match="has no gate"):
        inspect(held, [{"content": "x"}], tmp_path)


@pytest.mark.parametrize("modality", ["tabular", "text"])
def test_a_canary_of_a_known_identifier_holds_a_token_that_the_join_looks_for(modality: str, tmp_path: Path) -> None:
    known = {"subject_uid": "u", "kind": "NAME", "value": NAME, "role": "subject"}
    identities = pa.RecordBatch.from_pylist([known])
    (looked_for,) = evidence._tokens_of(iter([identities]))
    (canaries,) = evidence._KnownCanaries(["c1", "c2", "c3"])(iter([identities]))
    assert canaries.column("row_id").to_pylist() == ["c1", "c2", "c3"]
    strong = {row["value"] for row in looked_for.to_pylist() if row["owner"] == "*"}
    for canary in inspect(modality, canaries.select(["row_id", "content"]).to_pylist(), tmp_path):
        assert strong & {token["value"] for token in canary["tokens"]}
