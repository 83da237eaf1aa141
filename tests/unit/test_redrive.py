"""What ingest refused lands again, mended, and is still about the same patient."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from veil.errors import VeilError
from veil.modalities import recognisers
from veil.readers.landing import land
from veil.readers.manifest import MANIFEST, build_manifest, read_manifest
from veil.redrive import land_again

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
ITEM = {"source": "ehr", "drop_id": "d1", "path": "photos/wound.jpg", "type": None, "object_id": None, "content": None}


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A landing zone with the drop that the item came in."""
    monkeypatch.setenv("VEIL_HOME", str(tmp_path / "home"))
    delivered = tmp_path / "delivered"
    (delivered / "photos").mkdir(parents=True)
    (delivered / "photos" / "wound.jpg").write_bytes(JPEG)
    (delivered / "files.csv").write_text(
        "path,patient,encounter,date\nphotos/wound.jpg,Patient/p1,Encounter/e1,2026-02-03\n"
    )
    landing = tmp_path / "home" / "lake" / "restricted" / "landing"
    land(delivered, build_manifest(delivered, "ehr", recognisers()), landing, drop_id="d1")
    return landing


def test_a_mended_file_keeps_its_patient(landing: Path, tmp_path: Path) -> None:
    mended = tmp_path / "any name.bin"
    mended.write_bytes(JPEG + b"mended")
    drop = land_again(ITEM, mended)
    (entry,) = read_manifest(drop / MANIFEST).files
    assert (entry.path, entry.modality, entry.subject) == ("wound.jpg", "photo", "Patient/p1")
    assert (entry.encounter, entry.date) == ("Encounter/e1", "2026-02-03")
    assert (drop / "wound.jpg").read_bytes().endswith(b"mended")


def test_a_mended_line_becomes_a_file_of_its_type(landing: Path, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    mended.write_text('{"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}\n')
    drop = land_again({**ITEM, "path": "fhir/Condition.ndjson", "type": "Condition", "content": "{"}, mended)
    (entry,) = read_manifest(drop / MANIFEST).files
    assert (entry.path, entry.modality) == ("Condition.ndjson", "tabular")


@pytest.mark.parametrize("item", [ITEM, {**ITEM, "path": "fhir/Condition.ndjson", "content": "no record"}])
def test_what_is_not_whole_lands_only_when_it_is_mended(landing: Path, item: Mapping[str, object]) -> None:
    with pytest.raises(VeilError, match="whole"):
        land_again(item)
    assert [path.name for path in (landing / "ehr").iterdir()] == ["d1"]
