"""One demo drop through every job: what is published, what is not, and what nobody may find anywhere."""

from __future__ import annotations

import io
import json

import pydicom

from tests.spark.conftest import Installation
from veil.closing import closing_scan
from veil.control import receipts
from veil.demo import GroundTruth
from veil.detect.scan import scan
from veil.objects import ObjectStore
from veil.report import report

Demo = tuple[Installation, GroundTruth]


def test_the_gate_blocks_the_planted_leak_and_nothing_else(demo_run: Demo) -> None:
    installation, _ = demo_run
    made = report(installation.store, "night-0")
    assert made.blocked == [("research", "text", "known-identifier", 1)]
    assert installation.published("text") == []
    assert len(installation.refused) == 2  # the audit of the notes, and publishing them


def test_the_blocked_row_waits_in_quarantine_under_its_key(demo_run: Demo) -> None:
    installation, _ = demo_run
    items = [item for item in installation.table("restricted/quarantine") if item["stage"] == "audit"]
    assert [item["rule"] for item in items] == ["known-identifier"]
    assert items[0]["row_uid"]


def test_everything_else_is_published(demo_run: Demo) -> None:
    installation, _ = demo_run
    assert len(installation.published("photo")) == 4
    types = {row["type"] for row in installation.published("tabular")}
    assert {"Patient", "Encounter", "Condition", "Observation", "Practitioner", "patients", "pain_scores"} <= types
    assert "Consent" not in types


def test_every_reference_of_a_published_record_resolves(demo_run: Demo) -> None:
    installation, _ = demo_run
    rows = [json.loads(row["content"]) for row in installation.published("tabular") if row["type"][0].isupper()]
    ids = {f"{row['resourceType']}/{row['id']}" for row in rows}

    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
            return own.union(*(references(child) for child in value.values()))
        return set().union(*(references(child) for child in value)) if isinstance(value, list) else set()

    used = set().union(*(references(row) for row in rows))
    assert used
    assert used <= ids


def test_nothing_of_the_patient_who_denies_consent_is_anywhere_outside(demo_run: Demo) -> None:
    installation, _ = demo_run
    items = installation.table("restricted/quarantine")
    assert {item["rule"] for item in items} >= {"consent-denied", "malformed-record", "no-subject", "unpublishable"}
    denied = {item["key"] for item in items if item["rule"] == "consent-denied"}
    assert len(denied) > 5
    assert not denied & {row["key"] for row in installation.table("restricted/bronze")}


def test_a_modality_without_an_anonymizer_is_held(demo_run: Demo) -> None:
    installation, _ = demo_run
    held = {line.modality: line.held for line in report(installation.store, "night-0").lines if not line.product}
    assert held == {"audio": 1, "location": 2, "video": 1}
    folder = installation.settings.lake / "published" / "research" / "epoch-1"
    assert {path.name for path in folder.iterdir()} == {"dicom", "objects", "photo", "tabular"}


def test_a_published_study_is_whole_and_joins_nothing_outside_its_linkage_group(demo_run: Demo) -> None:
    installation, _ = demo_run
    objects = ObjectStore(installation.settings.lake / "published/research/epoch-1/objects/dicom")
    studies: dict[str, list[pydicom.Dataset]] = {}
    for row in installation.published("dicom"):
        found = pydicom.dcmread(io.BytesIO(objects.get(row["object_id"])))
        assert found.PatientID == row["subject"]
        assert json.loads(row["content"])["study"] == found.StudyInstanceUID
        studies.setdefault(found.StudyInstanceUID, []).append(found)
    assert len(studies) == 2
    for study in studies.values():
        slices = [each for each in study if each.Modality == "MR"]
        by_place = sorted(slices, key=lambda each: each.ImagePositionPatient[2])
        assert [each.InstanceNumber for each in by_place] == [1, 2]
        assert len({each.SeriesInstanceUID for each in slices}) == 1
        assert len({each.PatientID for each in study}) == 1
    others = {row["subject"] for modality in ("tabular", "photo") for row in installation.published(modality)}
    assert not others & {study[0].PatientID for study in studies.values()}


def test_no_identifier_of_the_ground_truth_is_outside_the_restricted_zone(demo_run: Demo) -> None:
    installation, truth = demo_run
    needles = {planted.value: planted.kind for planted in truth.identifiers}
    assert len(needles) > 500
    restricted = installation.settings.lake / "restricted"
    keys = installation.settings.home / "keys"
    control = installation.settings.home.glob("control.db*")
    assert scan(installation.settings.home, needles, exclude=[restricted, keys, *control]) == []


def test_the_search_would_have_found_one(demo_run: Demo) -> None:
    installation, truth = demo_run
    needles = {planted.value: planted.kind for planted in truth.identifiers}
    hits = scan(installation.settings.lake / "restricted" / "bronze", needles)
    assert {hit.label for hit in hits} >= {"NAME", "MRN", "SSN", "PHONE", "EMAIL"}


def test_the_closing_scan_passes_what_was_published(demo_run: Demo) -> None:
    installation, _ = demo_run
    assert closing_scan(installation.settings, installation.store, "night-0") == []


def test_nothing_published_tells_the_day_a_drop_came(demo_run: Demo) -> None:
    installation, _ = demo_run
    needles = {"2026-03-01": "drop date", "20260301": "drop date"}
    assert scan(installation.settings.lake / "published", needles) == []


def test_delta_keeps_no_statistics_of_what_is_published_or_restricted(demo_run: Demo) -> None:
    installation, _ = demo_run
    for log in installation.settings.lake.rglob("_delta_log/*.json"):
        for line in log.read_text().splitlines():
            statistics = json.loads(json.loads(line).get("add", {}).get("stats") or "{}")
            assert not statistics.get("minValues"), log
            assert not statistics.get("maxValues"), log


def test_findings_hold_no_value(demo_run: Demo) -> None:
    installation, truth = demo_run
    findings = installation.table("restricted/findings")
    assert len(findings) > 100
    needles = {planted.value: planted.kind for planted in truth.identifiers}
    assert scan(installation.settings.lake / "restricted" / "findings", needles) == []


def test_receipts_name_the_policy_and_the_chain_holds(demo_run: Demo) -> None:
    installation, _ = demo_run
    assert receipts.verify(installation.store) is None
    policies = {receipt.body.get("policy") for receipt in receipts.of_run(installation.store, "night-0")}
    assert len(policies - {None}) == 1


def test_a_commit_names_its_receipt_and_nothing_else(demo_run: Demo) -> None:
    installation, _ = demo_run
    log = installation.settings.lake / "published/research/epoch-1/tabular/_delta_log"
    commits = [json.loads(path.read_text().splitlines()[0])["commitInfo"] for path in sorted(log.glob("*.json"))]
    receipt = installation.receipt("publish", "night-0")
    assert commits
    published = {r.receipt_id for r in receipts.of_run(installation.store, "night-0") if r.stage == "publish"}
    assert receipt.receipt_id in published
    assert {commit["userMetadata"] for commit in commits} <= published


def test_the_release_has_every_public_cell_and_was_paid_for(demo_run: Demo) -> None:
    installation, _ = demo_run
    rows = installation.table("releases/monthly_conditions")
    assert len(rows) == 2 * 12 * 9
    before = installation.receipt("release", "night-0").body["key"]
    installation.job("release", "again", release="monthly_conditions")
    assert installation.receipt("release", "again").body["key"] == before
    assert installation.table("releases/monthly_conditions") == rows
    files = installation.settings.lake / "releases" / "files" / "monthly_conditions" / before
    assert sorted(path.name for path in files.iterdir()) == ["index.html", "metadata.json", "numbers.csv"]
    from veil import ledger

    assert {block.spent for block in ledger.blocks(installation.store)} == {100_000_000}
    assert ledger.verify(installation.store) == []
