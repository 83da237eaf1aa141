"""`veil anonymize` on a folder, whatever somebody has put into it."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner, Result

from tests.dicom_objects import changed, objects
from tests.spark.resources import MRN, condition, denial, patient, write
from veil.cli import veil
from veil.contracts import KnownIdentifier
from veil.files.known import Known
from veil.files.people import People
from veil.files.sources import Entry, Source
from veil.identity import Scope
from veil.surrogates import is_surrogate

NOTE = "Mr. Vasterby (MRN 77041001) was seen on 03/04/2021. Metoprolol 25 mg daily. His wife Quillona called."


def run(*words: object) -> Result:
    return CliRunner().invoke(veil, ["anonymize", *map(str, words)])


def contents(folder: Path) -> str:
    """Every byte that a reader of a folder sees: names and contents."""
    return "\n".join(f"{path.relative_to(folder)}\n{path.read_text()}" for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    for name in ("vasterby/first visit.txt", "vasterby/second visit.txt", "other.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(NOTE)
    return folder


def test_notes_are_cleaned_under_names_that_tell_nothing(notes: Path, tmp_path: Path) -> None:
    done = run("--modality", "text", notes, tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "3 notes written" in done.output
    written = contents(tmp_path / "out")
    for value in ("vasterby", "77041001", "03/04", "visit", "other"):
        assert value not in written.lower()
    assert written.count("Metoprolol 25 mg daily") == 3
    assert sorted(len(list(folder.iterdir())) for folder in (tmp_path / "out").iterdir()) == [1, 2]


def test_what_is_known_is_found_at_its_place_alone(notes: Path, tmp_path: Path) -> None:
    (tmp_path / "known.csv").write_text("place,kind,value,role\nvasterby,NAME,Metoprolol Quillona,relative\n")
    run("--modality", "text", "--known", tmp_path / "known.csv", notes, tmp_path / "out")
    assert contents(tmp_path / "out").count("Metoprolol") == 1


def test_the_mapping_leads_back_and_is_for_its_owner_alone(notes: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "map.csv"
    assert run("--modality", "text", "--map", mapping, notes, tmp_path / "out").exit_code == 0
    assert mapping.stat().st_mode & 0o077 == 0
    lines = mapping.read_text()
    assert "vasterby/first visit.txt" in lines
    assert "77041001" in lines
    assert all(str(path.relative_to(tmp_path / "out")) in lines for path in (tmp_path / "out").rglob("*.txt"))


def test_dates_keep_their_intervals_under_the_expert_profile(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "a.txt").write_text("Admitted on 2021-03-04.")
    (folder / "one" / "b.txt").write_text("Discharged on 2021-03-11.")
    assert run("--modality", "text", "--profile", "expert", folder, tmp_path / "out").exit_code == 0
    from datetime import date

    days = sorted(date.fromisoformat(path.read_text()[-11:-1]) for path in (tmp_path / "out").rglob("*.txt"))
    assert (days[1] - days[0]).days == 7
    assert date(2021, 3, 4) not in days


def test_what_cannot_be_read_is_listed_and_the_rest_is_written(notes: Path, tmp_path: Path) -> None:
    (notes / "latin.txt").write_bytes(b"caf\xe9 " * 30)
    (notes / "empty.txt").write_bytes(b"")
    (notes / "wide.txt").write_bytes(NOTE.encode("utf-16-le"))
    (notes / "bell.txt").write_bytes(b"Seen today.\x07 " * 9)
    (notes / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    (notes / "spanish.txt").write_text(
        "El paciente fue visto por la doctora en el hospital y no tiene la fiebre que tenía. " * 3
    )
    (notes / "out").symlink_to("/etc")
    os.mkfifo(notes / "pipe")
    done = run("--modality", "text", notes, tmp_path / "out")
    assert done.exit_code == 1
    assert "3 notes written" in done.output
    for name in ("latin.txt", "empty.txt", "wide.txt", "bell.txt", "picture.txt", "spanish.txt", "out", "pipe"):
        assert f"skipped  {name} @ 0: " in done.output


def test_records_keep_their_references_and_lose_their_identifiers(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", patient(0), patient(1), condition(0), condition(1), denial(1))
    (folder / "More.ndjson").write_text(
        '{"resourceType": "Condition", "id"\n{"resourceType": "Spaceship", "id": "s"}\n'
    )
    (folder / "vasterby.csv").write_text("id,who,what\n1,p0,well\n")
    (folder / "vasterby.columns.toml").write_text(
        'table = "visits"\nid = ["id"]\nsubject = "who"\n[columns]\nid = "id"\nwho = "subject"\nwhat = "text"\n'
    )
    (folder / "unknown.csv").write_text("a,b\n1,2\n")
    done = run("--modality", "tabular", folder, tmp_path / "out")
    assert done.exit_code == 1
    for reason in ("not valid JSON", "the policy allows no resource of this type", ".columns.toml", "denies use"):
        assert reason in done.output
    (person,) = [json.loads(line) for line in (tmp_path / "out" / "Patient.ndjson").read_text().splitlines()]
    (illness,) = [json.loads(line) for line in (tmp_path / "out" / "Condition.ndjson").read_text().splitlines()]
    (visit,) = [json.loads(line) for line in (tmp_path / "out" / "visits.ndjson").read_text().splitlines()]
    assert illness["subject"]["reference"] == f"Patient/{person['id']}"
    assert visit["what"] == "well"
    written = contents(tmp_path / "out")
    for value in ("Okonkwo", "77041", "1980-04-05", "2025-05-06", "Patient/p", "vasterby"):
        assert value not in written


@pytest.mark.parametrize("place", ["in/out", ".", "full"])
def test_nothing_is_written_where_it_could_be_taken_for_something_else(notes: Path, tmp_path: Path, place: str) -> None:
    notes.rename(tmp_path / "in")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    done = run("--modality", "text", tmp_path / "in", tmp_path / place)
    assert done.exit_code == 1
    assert not list(tmp_path.rglob("*/?" + "?" * 31 + ".txt"))


@pytest.mark.parametrize("place", ["out/map.csv", "exists.csv"])
def test_a_mapping_lies_apart_and_is_never_written_over(notes: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "exists.csv").write_text("an older mapping")
    assert run("--modality", "text", "--map", tmp_path / place, notes, tmp_path / "out").exit_code == 1
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "exists.csv").read_text() == "an older mapping"


@pytest.mark.parametrize(
    "table", ["place,kind\nx,NAME\n", "place,kind,value\n,NOSE,Quillona\n", "place,kind,value\n,NAME,\n"]
)
def test_a_wrong_table_of_known_identifiers_is_refused_without_quoting_it(
    notes: Path, tmp_path: Path, table: str
) -> None:
    (tmp_path / "known.csv").write_text(table)
    done = run("--modality", "text", "--known", tmp_path / "known.csv", notes, tmp_path / "out")
    assert done.exit_code == 1
    assert "Quillona" not in done.output
    assert not (tmp_path / "out").exists()


def test_what_is_told_under_another_name_of_a_subject_is_known(tmp_path: Path) -> None:
    relative = KnownIdentifier("NAME", "Quillona Vasterby", "relative")
    source = Source(tmp_path / "x.ndjson", "x.ndjson")
    told = Entry(source, 0, "RelatedPerson", "RelatedPerson/r", "identifier:mrn|1", "{}", known=(relative,))
    person = Entry(source, 1, "Patient", "Patient/p", "Patient/p", "{}", aliases=("identifier:mrn|1",))
    people = People.of([told, person], Scope("files", 1, "tabular"), Known(), shifts=False, invents=False)
    assert relative in people.item(person).known
    assert people.item(told).subject == people.item(person).subject


def test_a_name_that_one_note_tells_is_searched_for_in_the_subjects_other_notes(tmp_path: Path) -> None:
    told, plain = (
        "Mr. Zenatrol was seen today and felt well.",
        "she was asking for zenatrol twice a day",
    )
    for place, first in (("one", told), ("two", "Seen today and felt well.")):
        (tmp_path / "notes" / place).mkdir(parents=True)
        (tmp_path / "notes" / place / "1.txt").write_text(first)
        (tmp_path / "notes" / place / "2.txt").write_text(plain)
    run("--modality", "text", tmp_path / "notes", tmp_path / "out")
    written = [path.read_text() for path in (tmp_path / "out").rglob("*.txt")]
    assert "she was asking for [NAME] twice a day" in written
    assert sum("zenatrol" in text for text in written) == 1  # of the other subject nothing tells that it is a name


def test_surrogates_stand_for_a_subjects_names_in_all_of_the_subjects_files(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "one"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("Mr. John Halloran was seen in the clinic today and he feels well.")
    (folder / "b.txt").write_text("The wife of Halloran called the clinic about his pain in the night.")
    assert run("--modality", "text", "--names", "surrogates", tmp_path / "in", tmp_path / "out").exit_code == 0
    first, second = sorted((path.read_text() for path in (tmp_path / "out").rglob("*.txt")), key=len)
    assert "[NAME]" not in first + second
    assert "Halloran" not in first + second
    drawn = {word for word in re.findall(r"[A-Za-z]+", first) if is_surrogate(word)}
    assert drawn & set(re.findall(r"[A-Za-z]+", second))


def test_a_study_of_which_an_object_is_held_is_named_by_what_it_is_called_now(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    slices = [payload for payload, _ in objects()]
    with zipfile.ZipFile(folder / "study.zip", "w") as packed:
        for number, payload in enumerate((slices[0], slices[1][:-5000])):
            packed.writestr(f"IM{number}", payload)
    (folder / "whole.dcm").write_bytes(changed(slices[0], StudyInstanceUID="1.2.3", PatientID="other"))
    done = run("--modality", "dicom", folder, tmp_path / "out")
    assert done.exit_code == 1
    assert "skipped  study.zip @ 1: damaged or truncated DICOM object" in done.output
    [told] = re.findall(r"incomplete  study of (\w+), (2\.25\.\d+): 1 written, 1 skipped", done.output)
    [path] = (tmp_path / "out" / told[0]).iterdir()
    assert pydicom.dcmread(path).StudyInstanceUID == told[1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a.txt,NAME,Grant, Hope", "more values than the header has columns"),
        ('a.txt,NAME,"Hope Grant\na.txt,ID,44-71', "is no CSV"),
        ("a.txt,DATE,2021-13-45", "a day that exists"),
        ("a.txt,NAMES,Hope Grant", "kind is none of NAME, LOCATION"),
        ("a.txt,NAME,", "value is empty"),
    ],
)
def test_what_is_wrong_with_what_is_known_is_told_before_anything_is_written(
    line: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(NOTE)
    (tmp_path / "known.csv").write_text(f"place,kind,value\n{line}\n")
    done = run("--modality", "text", "--known", tmp_path / "known.csv", tmp_path / "in", tmp_path / "out")
    assert done.exit_code == 1
    assert told in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_row_of_a_table_leads_to_the_record_of_its_patient(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", patient(0), patient(1))
    (folder / "scores.csv").write_text("mrn,score\n77041001,7\n")
    roles = (
        f'table = "scores"\nsubject = "mrn"\nsubject_system = "{MRN}"\n[columns]\nmrn = "subject"\nscore = "measure"\n'
    )
    (folder / "scores.columns.toml").write_text(roles)
    assert run("--modality", "tabular", folder, tmp_path / "out").exit_code == 0
    patients = [json.loads(line) for line in (tmp_path / "out" / "Patient.ndjson").read_text().splitlines()]
    [row] = [json.loads(line) for line in (tmp_path / "out" / "scores.ndjson").read_text().splitlines()]
    assert row["mrn"] in {each["id"] for each in patients}


def test_a_prescription_leads_to_its_drug(tmp_path: Path) -> None:
    drug = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "866924", "display": "metoprolol 25 MG"}
    medication = {"resourceType": "Medication", "id": "m1", "code": {"coding": [drug]}, "batch": {"lotNumber": "L77"}}
    request = {
        "resourceType": "MedicationRequest",
        "id": "r1",
        "status": "active",
        "subject": {"reference": "Patient/p0"},
        "medicationReference": {"reference": "Medication/m1"},
    }
    folder = write(tmp_path / "in", patient(0), medication, request)
    assert run("--modality", "tabular", folder, tmp_path / "out").exit_code == 0
    [drugged] = (tmp_path / "out" / "Medication.ndjson").read_text().splitlines()
    [asked] = (tmp_path / "out" / "MedicationRequest.ndjson").read_text().splitlines()
    published = json.loads(drugged)
    assert published["code"]["coding"] == [drug]
    assert "L77" not in drugged
    assert json.loads(asked)["medicationReference"] == {"reference": f"Medication/{published['id']}"}
