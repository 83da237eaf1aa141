"""The demo's files are of the formats they claim, and a drop that cannot be made leaves nothing behind."""

from __future__ import annotations

import csv
import io
import tomllib
import wave
from pathlib import Path
from typing import NamedTuple

import pydicom
import pytest
from PIL import Image

from veil.demo import GroundTruth, generate
from veil.errors import VeilError


class Made(NamedTuple):
    root: Path
    truth: GroundTruth


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("demo") / "first"
    return Made(root, generate(root, patients=10))


def test_photographs_carry_metadata_and_only_the_corrupt_one_cannot_be_decoded(first: Made) -> None:
    undecodable = []
    for path in first.root.glob("photos/*.jpg"):
        with Image.open(path) as picture:
            assert {0x013B, 0x8825} <= picture.getexif().keys()
            try:
                picture.load()
            except OSError:
                undecodable.append(str(path.relative_to(first.root)))
    assert undecodable == [first.truth.corrupt_file]


def test_held_files_are_of_the_formats_they_claim(first: Made) -> None:
    heads = {each: next((first.root / each).iterdir()).read_bytes() for each in ("audio", "video", "location")}
    assert heads["video"][4:8] == b"ftyp"
    assert heads["location"].startswith(b"<?xml")
    with wave.open(io.BytesIO(heads["audio"])) as sound:
        assert sound.getnframes() == 800


def test_every_patient_with_images_has_a_study_of_two_series(first: Made) -> None:
    for folder in (first.root / "dicom").iterdir():
        objects = [pydicom.dcmread(path) for path in folder.iterdir()]
        assert sorted(each.Modality for each in objects) == ["MR", "MR", "US"]
        assert len({each.StudyInstanceUID for each in objects}) == 1
        assert all(each.pixel_array.any() for each in objects)


def test_the_role_file_names_every_column_of_its_table(first: Made) -> None:
    roles = tomllib.loads((first.root / "csv/pain_scores.columns.toml").read_text("utf-8"))
    with (first.root / "csv/pain_scores.csv").open(encoding="utf-8", newline="") as stream:
        assert list(roles["columns"]) == next(csv.reader(stream))


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    with pytest.raises(VeilError, match="not empty"):
        generate(tmp_path, patients=10)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(("patients", "night"), [(9, 0), (10, 2)])
def test_what_the_demo_cannot_make_is_refused_before_anything_is_written(
    tmp_path: Path, patients: int, night: int
) -> None:
    with pytest.raises(VeilError):
        generate(tmp_path / "drop", patients=patients, night=night)
    assert not (tmp_path / "drop").exists()
