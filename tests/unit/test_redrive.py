"""What ingest refused lands again, mended, and is still about the same patient."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from veil.control import Store, registry
from veil.errors import VeilError
from veil.modalities import recognisers
from veil.readers.landing import land
from veil.readers.manifest import MANIFEST, build_manifest, read_manifest
from veil.redrive import land_again
from veil.settings import Settings

ROLES = 'table = "pain"\n[columns]\ncase = "record"\nscore = "keep"\n'
DELETION = (
    '{"resourceType": "Bundle", "type": "transaction", '
    '"entry": [{"request": {"method": "DELETE", "url": "Condition/c3"}}]}\n'
)
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
ITEM = {"source": "ehr", "path": "photos/wound.jpg", "type": None, "object_id": None, "content": None}


Landed = tuple[Path, dict[str, object]]


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landed:
    """A landing zone with a registered drop, and what quarantine says of one of its files."""
    monkeypatch.setenv("VEIL_HOME", str(tmp_path / "home"))
    delivered = tmp_path / "delivered"
    (delivered / "photos").mkdir(parents=True)
    (delivered / "photos" / "wound.jpg").write_bytes(JPEG)
    (delivered / "files.csv").write_text(
        "path,patient,encounter,date\nphotos/wound.jpg,Patient/p1,Encounter/e1,2026-02-03\n"
    )
    (delivered / "pain.csv").write_text("case,score\n1,7\n")
    (delivered / "pain.columns.toml").write_text(ROLES)
    (delivered / "deleted").mkdir()
    (delivered / "deleted" / "Condition.ndjson").write_text(DELETION)
    landing = tmp_path / "home" / "lake" / "restricted" / "landing"
    folder = land(delivered, build_manifest(delivered, "ehr", recognisers()), landing, drop_id="d1")
    drop_id = registry.register_drop(Store(Settings.from_env().control), folder, "ehr")
    return landing, {**ITEM, "drop_id": drop_id}


def test_a_mended_file_keeps_its_patient(landed: Landed, tmp_path: Path) -> None:
    mended = tmp_path / "any name.bin"
    mended.write_bytes(JPEG + b"mended")
    drop = land_again(landed[1], mended)
    (entry,) = read_manifest(drop / MANIFEST).files
    assert (entry.path, entry.modality, entry.subject) == ("photos/wound.jpg", "photo", "Patient/p1")
    assert (entry.encounter, entry.date) == ("Encounter/e1", "2026-02-03")
    assert (drop / "photos" / "wound.jpg").read_bytes().endswith(b"mended")


def test_a_mended_line_becomes_a_file_of_its_type(landed: Landed, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    mended.write_text('{"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}\n')
    drop = land_again({**landed[1], "path": "fhir/all.jsonl", "type": "Condition", "content": "{"}, mended)
    (entry,) = read_manifest(drop / MANIFEST).files
    assert (entry.path, entry.modality) == ("fhir/Condition.ndjson", "tabular")


def test_a_mended_deletion_is_still_a_deletion(landed: Landed, tmp_path: Path) -> None:
    (tmp_path / "mended").write_text(DELETION)
    drop = land_again({**landed[1], "path": "deleted/Condition.ndjson"}, tmp_path / "mended")
    (entry,) = read_manifest(drop / MANIFEST).files
    assert entry.format == "fhir-deleted"


def test_a_mended_table_brings_what_its_columns_mean(landed: Landed, tmp_path: Path) -> None:
    (tmp_path / "mended").write_text("case,score\n1,8\n")
    drop = land_again({**landed[1], "path": "pain.csv"}, tmp_path / "mended")
    assert {entry.format for entry in read_manifest(drop / MANIFEST).files} == {"csv", "role-file"}
    assert (drop / "pain.columns.toml").read_text() == ROLES


@pytest.mark.parametrize("item", [{}, {"path": "fhir/Condition.ndjson", "content": "no record"}])
def test_what_is_not_whole_lands_only_when_it_is_mended(landed: Landed, item: Mapping[str, object]) -> None:
    with pytest.raises(VeilError, match="whole"):
        land_again({**landed[1], **item})
    assert [path.name for path in (landed[0] / "ehr").iterdir()] == ["d1"]
