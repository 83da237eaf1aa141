"""DICOM objects as an archive sends them: whom they are about stands in them, one of them is broken."""

from __future__ import annotations

import io
import json
import zipfile

import pydicom
import pytest

from tests.dicom_objects import changed, objects
from tests.spark.conftest import PROJECT, Installation, new_installation
from tests.spark.resources import MRN, condition, patient, write
from veil.objects import ObjectStore

NUMBER = "77041000"
"""The medical record number of patient 0."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One product whose linkage group holds records and DICOM, through every job."""
    home = tmp_path_factory.mktemp("archive")
    config = home / "config"
    (config / "products").mkdir(parents=True)
    site = (PROJECT / "dags/config/site.toml").read_text()
    site = site.replace('title = "Electronic health record"', f'title = "x"\npatient_id_system = "{MRN}"')
    (config / "site.toml").write_text(site)
    product = (PROJECT / "dags/config/products/research.toml").read_text()
    product = product.replace('[["tabular", "text"]]', '[["tabular", "dicom"], ["text"]]').replace(
        'profile = "safe_harbor"', 'profile = "expert"'
    )
    (config / "products/research.toml").write_text(product)
    installation = new_installation(home / "home", config)
    folder = write(home / "in", patient(0), patient(1), condition(0))
    (folder / "QUILLON_OKONKWO").mkdir()
    for number, (payload, _) in enumerate(objects()):
        about = changed(payload, PatientID=NUMBER, PatientName="Okonkwo^Quillon", StudyDate="20250506")
        (folder / "QUILLON_OKONKWO" / f"IM{number}").write_bytes(about)
    (folder / "broken.dcm").write_bytes(changed(objects()[0][0], PatientID=NUMBER, StudyDate="20250506")[:-5000])
    (folder / "stranger.dcm").write_bytes(changed(objects()[0][0], PatientID="99999999"))
    with zipfile.ZipFile(folder / "OKONKWO.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        about = changed(objects()[0][0], PatientID=NUMBER, StudyDate="20250506", SOPInstanceUID="1.2.3")
        packed.writestr("QUILLON/IM0", about)
        packed.writestr("QUILLON/letter.txt", "Dear Quillon Okonkwo")
    installation.land(folder)
    installation.run("run", ("tabular", "dicom"))
    return installation


def test_objects_find_their_patient_by_the_id_in_them(archive: Installation) -> None:
    assert len(archive.published("dicom")) == 4
    waiting = {item["rule"] for item in archive.table("restricted/quarantine")}
    assert waiting == {"no-subject", "unpublishable", "no-modality"}


def test_a_study_says_how_much_of_it_is_held(archive: Installation) -> None:
    told = [json.loads(row["content"]) for row in archive.published("dicom")]
    assert {(each["received"], each["held"]) for each in told} == {(5, 1)}
    assert len({each["study"] for each in told}) == 1


def test_a_release_can_count_studies_by_month_and_modality(archive: Installation) -> None:
    rows = [row for row in archive.table("restricted/bronze") if row["modality"] == "dicom"]
    assert {(row["start"], row["code"]) for row in rows} == {("2025-05-06", "MR"), ("2025-05-06", "US")}
    assert {row["references"][0].partition("/")[0] for row in rows} == {"ImagingStudy"}


def test_in_one_linkage_group_records_and_images_join_and_keep_their_order_in_time(archive: Installation) -> None:
    store = ObjectStore(archive.settings.lake / "published/research/epoch-1/objects/dicom")
    images = [pydicom.dcmread(io.BytesIO(store.get(row["object_id"]))) for row in archive.published("dicom")]
    records = [row for row in archive.published("tabular") if row["type"] == "Condition"]
    assert {image.PatientID for image in images} == {row["subject"] for row in records}
    onset = json.loads(records[0]["content"])["onsetDateTime"]
    assert {image.StudyDate for image in images} == {onset.replace("-", "")}
    assert onset != "2025-05-06"


@pytest.mark.slow
def test_a_second_run_publishes_the_same_bytes(archive: Installation) -> None:
    before = {row["row_id"]: row["sha256"] for row in archive.published("dicom")}
    for stage in ("anonymize", "audit", "publish"):
        archive.job(stage, "run", product="research", modality="dicom")
    assert {row["row_id"]: row["sha256"] for row in archive.published("dicom")} == before


def test_no_name_of_a_file_or_patient_is_outside_the_restricted_zone(archive: Installation) -> None:
    published = archive.settings.lake / "published"
    for path in published.rglob("*"):
        assert "OKONKWO" not in str(path).upper()
        assert not path.is_file() or b"OKONKWO" not in path.read_bytes().upper()
