"""One file makes a modality: the example of docs/adding-a-modality.md, run as it stands there."""

from __future__ import annotations

import importlib
import json
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from expectations.evidence import DETECTORS, Inspector
from veil import modalities
from veil.anonymize.worker import Anonymizer
from veil.keys import FileKey
from veil.policy import Policy, load_policy
from veil.readers.manifest import build_manifest
from veil.readers.sniff import matches

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "adding-a-modality.md"
CONFIG = PROJECT / "dags" / "config"
NOTE = "patient: Quillon Vasterby\nmrn: 40817263\nrate: 72\npr: 160\nrecorded: 2025-03-14\nqt: 4408\n"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(autouse=True)
def ecg_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "modalities"
    folder.mkdir()
    (folder / "ecg_note.py").write_text(block("python"))
    monkeypatch.setattr(modalities, "__path__", [*modalities.__path__, str(folder)])
    importlib.invalidate_caches()
    yield
    sys.modules.pop("veil.modalities.ecg_note", None)
    if hasattr(modalities, "ecg_note"):
        del modalities.ecg_note


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    product = (CONFIG / "products" / "research.toml").read_text()
    declared = re.sub(r"^modalities = .*$", block("toml").strip(), product, flags=re.MULTILINE)
    (tmp_path / "research.toml").write_text(declared)
    return load_policy(tmp_path / "research.toml", CONFIG / "site.toml")


def anonymized(policy: Policy, content: str, folder: Path) -> dict[str, Any]:
    """Run the stage's own worker over one row of bronze."""
    key = FileKey.create(folder / "zone.key")
    row = {
        "row_uid": secrets.token_hex(16),
        "subject_uid": "subject",
        "type": "ecg-note",
        "key": "ecg-note/1",
        "parent": "ecg-note/1",
        "retired": False,
        "content": content,
        "object_id": None,
        "columns": None,
        "known": [],
        "links": [],
        "wrapped": key.wrap(secrets.token_bytes(32), "subject"),
    }
    worker = Anonymizer(policy.canonical, "ecg-note", 2026, folder / "zone.key", str(folder), str(folder))
    (batch,) = worker(iter([pa.RecordBatch.from_pylist([row])]))
    return dict(batch.to_pylist()[0])


def inspected(content: str, folder: Path) -> dict[str, Any]:
    """Run the gate's own inspection over one candidate."""
    names = ("row_id", "subject", "subject_uid", "content", "object_id", "sha256", "payload")
    row = dict.fromkeys(names) | {"row_id": "1", "content": content}
    (batch,) = Inspector("ecg-note", "safe_harbor", str(folder))(iter([pa.RecordBatch.from_pylist([row])]))
    return dict(batch.to_pylist()[0])


def test_a_drop_with_the_new_kind_of_file_is_recognised_and_other_notes_stay_notes(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "0001.ecg.txt").write_text(NOTE)
    (drop / "0002.txt").write_text("Seen today.")
    manifest = build_manifest(drop, "ehr", modalities.recognisers())
    assert {entry.path: entry.modality for entry in manifest.files} == {"0001.ecg.txt": "ecg-note", "0002.txt": "text"}
    assert all(matches(entry.format, (drop / entry.path).read_bytes()) for entry in manifest.files)


def test_only_measurements_are_published(policy: Policy, tmp_path: Path) -> None:
    staged = anonymized(policy, NOTE, tmp_path)
    assert staged["content"] == "rate: 72\npr: 160"
    assert json.loads(staged["dropped"]) == {"line": 4}
    assert staged["rule"] is None


def test_a_note_without_a_measurement_is_quarantined_with_a_reason(policy: Policy, tmp_path: Path) -> None:
    staged = anonymized(policy, "patient: Quillon Vasterby", tmp_path)
    assert (staged["rule"], staged["content"]) == ("unpublishable", None)
    assert "Vasterby" not in json.dumps(staged)


def test_what_is_published_passes_the_gate(policy: Policy, tmp_path: Path) -> None:
    assert inspected(anonymized(policy, NOTE, tmp_path)["content"], tmp_path)[DETECTORS] == ""


def test_every_rule_has_a_canary_that_it_alone_catches(tmp_path: Path) -> None:
    gate = modalities.get("ecg-note").gate
    assert gate
    caught = [inspected(canary.content or "", tmp_path)[DETECTORS] for canary in gate.canaries("safe_harbor")]
    assert caught == ["unknown-word", "long-number"]


def test_a_known_identifier_is_among_what_the_gate_searches(tmp_path: Path) -> None:
    planted = json.dumps({"note": "seen with Quillon Vasterby today"})
    assert "quillon vasterby" in {token["value"] for token in inspected(planted, tmp_path)["tokens"]}


def test_without_an_anonymizer_or_a_gate_it_would_be_held() -> None:
    modality = modalities.get("ecg-note")
    assert not modality.held
    assert replace(modality, anonymizer=None).held
    assert replace(modality, gate=None).held


def test_the_new_modality_is_a_linkage_group_of_its_own(policy: Policy) -> None:
    assert policy.group_of("ecg-note") == "ecg-note"
