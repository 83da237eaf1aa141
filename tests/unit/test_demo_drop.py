"""The demo drop is what the demo and the end-to-end tests claim to clean, so its own claims are checked here."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from veil.demo import GroundTruth, generate
from veil.demo.words import words

CATEGORIES = Path(__file__).parents[2] / "dags/config/releases/condition_categories.csv"
PATIENTS = 60


class Made(NamedTuple):
    root: Path
    truth: GroundTruth


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("demo") / "first"
    return Made(root, generate(root, patients=PATIENTS))


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("demo") / "following"
    return Made(root, generate(root, patients=PATIENTS, night=1))


def digest(root: Path) -> str:
    """Hash the names and bytes of a folder."""
    state = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        state.update(str(path.relative_to(root)).encode() + (path.read_bytes() if path.is_file() else b""))
    return state.hexdigest()


def resources(root: Path) -> dict[str, dict[str, Any]]:
    """Read all well-formed resources under ``fhir/`` by key."""
    found = {}
    for path in sorted(root.glob("fhir/*.ndjson")):
        for line in path.read_bytes().splitlines():
            try:
                resource = json.loads(line)
            except ValueError:
                continue
            found[f"{resource['resourceType']}/{resource['id']}"] = resource
    return found


def note(root: Path, document: dict[str, Any]) -> str:
    """Read the text of a DocumentReference, inline or from its file."""
    attachment = document["content"][0]["attachment"]
    if "data" in attachment:
        return base64.b64decode(attachment["data"]).decode()
    return Path(root, attachment["url"]).read_text("utf-8")


def notes(root: Path) -> dict[str, str]:
    return {key: note(root, each) for key, each in resources(root).items() if key.startswith("DocumentReference/")}


def test_the_same_arguments_give_the_same_bytes_in_another_process(first: Made, tmp_path: Path) -> None:
    code = f"import pathlib, sys, veil.demo; veil.demo.generate(pathlib.Path(sys.argv[1]), patients={PATIENTS})"
    env = os.environ | {"PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "again")], check=True, env=env)
    assert digest(tmp_path / "again") == digest(first.root)


def test_another_seed_is_another_hospital(first: Made, tmp_path: Path) -> None:
    other = generate(tmp_path / "other", patients=10, seed=8)
    ours = {planted.value for planted in first.truth.identifiers if planted.kind in {"MRN", "SSN"}}
    assert not ours & {planted.value for planted in other.identifiers}


def test_every_planted_identifier_is_where_the_answer_key_says(first: Made) -> None:
    content: dict[str, str] = {}
    for path in first.root.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(first.root))
            content[name] = name + path.read_bytes().decode("utf-8", "replace")
    content["fhir/DocumentReference.ndjson"] += "\n".join(notes(first.root).values())
    for path in first.root.glob("bundle/*.json"):
        documents = [entry["resource"] for entry in json.loads(path.read_bytes())["entry"]]
        texts = [note(first.root, each) for each in documents if each["resourceType"] == "DocumentReference"]
        content[str(path.relative_to(first.root))] += "\n".join(texts)
    missing = [planted for planted in first.truth.identifiers if planted.value not in content[planted.path]]
    assert missing == []


def test_planted_values_are_no_part_of_what_may_be_published(first: Made) -> None:
    public = json.dumps([words("clinic"), words("notes")]).lower()
    values = {planted.value for planted in first.truth.identifiers}
    assert min(map(len, values)) >= 6
    assert not [value for value in values if value.lower() in public]


def test_notes_hold_every_kind_of_identifier_that_can_be_written_down(first: Made) -> None:
    kinds = {planted.kind for planted in first.truth.identifiers if planted.where == "DocumentReference.content"}
    expected = (
        "NAME LOCATION DATE PHONE FAX EMAIL SSN MRN HEALTH_PLAN ACCOUNT LICENSE VEHICLE DEVICE URL IP BIOMETRIC ID"
    )
    assert kinds >= set(expected.split())


def test_notes_have_the_length_of_clinical_notes(first: Made) -> None:
    lengths = [len(text) for text in notes(first.root).values()]
    assert len(lengths) == PATIENTS + PATIENTS // 5
    assert min(lengths) >= 400
    assert max(lengths) <= 750


def test_the_leak_is_another_patients_number_in_one_note_and_reads_as_a_dose(first: Made) -> None:
    value = first.truth.gate_leak.value
    text = notes(first.root)[first.truth.leak_record]
    assert f"UFH {value} units given" in text
    found = resources(first.root)
    owner = [
        key for key, each in found.items() if key.startswith("Patient/") and each["identifier"][0]["value"] == value
    ]
    assert owner
    assert owner[0] != found[first.truth.leak_record]["subject"]["reference"]


def test_counts_are_those_of_the_files(first: Made) -> None:
    seen = Counter(key.split("/")[0] for key in resources(first.root))
    for path in first.root.glob("bundle/*.json"):
        seen.update(entry["resource"]["resourceType"] for entry in json.loads(path.read_bytes())["entry"])
    for path in first.root.glob("csv/*.csv"):
        seen[f"csv/{path.stem}"] = len(list(csv.reader(path.open(encoding="utf-8", newline="")))) - 1
    assert seen == first.truth.counts


def test_every_reference_of_a_record_has_its_target_except_the_orphans(first: Made) -> None:
    found = resources(first.root)

    def references(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(references, value))
        if isinstance(value, dict):
            return set().union(*map(references, value.values())) | {value.get("reference", "")} - {""}
        return set()

    dangling = {key for key, each in found.items() if not references(each) <= found.keys()}
    assert dangling == {first.truth.orphan_record}


def test_one_line_is_malformed(first: Made) -> None:
    lines = [line for path in first.root.glob("fhir/*.ndjson") for line in path.read_bytes().splitlines()]
    assert len(lines) - len(resources(first.root)) == 1


def test_one_patient_denies_and_has_records_notes_and_rows_to_be_withheld(first: Made) -> None:
    found = resources(first.root)
    consents = [each for key, each in found.items() if key.startswith("Consent/")]
    denials = [each for each in consents if each["provision"]["type"] == "deny"]
    reference = f"Patient/{first.truth.denied_patient}"
    assert [each["patient"]["reference"] for each in denials] == [reference]
    assert len(consents) > len(denials)
    assert reference in (first.root / "files.csv").read_text("utf-8")
    mrn = found[reference]["identifier"][0]["value"]
    assert mrn in (first.root / "csv/pain_scores.csv").read_text("utf-8")


def test_the_next_night_changes_one_condition_adds_one_observation_and_deletes_one_procedure(
    first: Made, following: Made
) -> None:
    before, after = resources(first.root), resources(following.root)
    changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
    assert [key.split("/")[0] for key in changed] == ["Condition"]
    assert after[changed[0]]["meta"]["lastUpdated"] > before[changed[0]]["meta"]["lastUpdated"]
    assert [key.split("/")[0] for key in after.keys() - before.keys()] == ["Observation"]
    deleted = json.loads((following.root / "fhir/deleted/Procedure.ndjson").read_bytes())
    assert [entry["request"] for entry in deleted["entry"]] == [
        {"method": "DELETE", "url": (before.keys() - after.keys()).pop()}
    ]
    for path in first.root.rglob("*"):
        if path.is_file() and path.name not in {"Condition.ndjson", "Observation.ndjson", "Procedure.ndjson"}:
            assert (following.root / path.relative_to(first.root)).read_bytes() == path.read_bytes()


def test_every_file_that_names_no_patient_itself_is_tied_to_one(first: Made) -> None:
    tied = {row["path"]: row for row in csv.DictReader((first.root / "files.csv").open(encoding="utf-8", newline=""))}
    found = resources(first.root)
    linked = {
        each["content"][0]["attachment"].get("url")
        for key, each in found.items()
        if key.startswith("DocumentReference/")
    }
    folders = ("photos", "dicom", "audio", "video", "location", "notes")
    media = {str(path.relative_to(first.root)) for each in folders for path in (first.root / each).rglob("*.*")}
    assert media - linked == tied.keys()
    for row in tied.values():
        assert found[row["encounter"]]["subject"]["reference"] == row["patient"]


def test_every_condition_has_one_public_category() -> None:
    with CATEGORIES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["code"] for row in rows) == sorted(entry["code"] for entry in words("clinic")["condition"])


def test_diagnoses_spread_over_months_and_categories(first: Made) -> None:
    with CATEGORIES.open(encoding="utf-8", newline="") as stream:
        category = {row["code"]: row["category"] for row in csv.DictReader(stream)}
    cells = {
        (each["onsetDateTime"][:7], category[each["code"]["coding"][0]["code"]])
        for key, each in resources(first.root).items()
        if key.startswith("Condition/")
    }
    assert len({month for month, _ in cells}) >= 10
    assert {name for _, name in cells} == set(category.values())


def test_the_answer_key_survives_its_file_stays_out_of_the_drop_and_hides_its_values(
    first: Made, tmp_path: Path
) -> None:
    first.truth.to_json(tmp_path / "truth.json")
    assert GroundTruth.from_json(tmp_path / "truth.json") == first.truth
    assert not list(first.root.glob("*.json"))
    assert first.truth.gate_leak.value not in repr(first.truth)
    assert first.truth.denied_patient not in repr(first.truth)
