"""The confidentiality profile of DICOM PS3.15 Annex E, as whoever receives an object sees it."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from tests.dicom_objects import KEY, PSEUDONYM, anonymized, changed, objects, read, written
from veil.contracts import Unpublishable

PROFILES = ("safe_harbor", "expert")
MR, US = objects()[0][0], objects()[2][0]


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_that_was_planted_is_in_any_byte(profile: str) -> None:
    for payload, plants in objects():
        outcome = anonymized(payload, profile)
        for plant in plants:
            if profile == "expert" and plant == pydicom.dcmread(io.BytesIO(payload)).DeviceSerialNumber:
                continue  # Retain Device Identity
            assert plant.encode() not in (outcome.payload or b"")
            assert plant not in (outcome.content or "")


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_study_needs_stays(profile: str) -> None:
    before, after = pydicom.dcmread(io.BytesIO(MR)), read(anonymized(MR, profile))
    for keyword in ("Modality", "Rows", "SliceThickness", "ImagePositionPatient", "InstanceNumber", "PatientSex"):
        assert after[keyword].value == before[keyword].value
    assert "Abdomen" in after.StudyDescription
    assert after.SeriesDescription == "t2 axial"
    assert np.array_equal(after.pixel_array, before.pixel_array)
    assert after.PatientID == str(after.PatientName) == PSEUDONYM


def test_it_says_what_was_done() -> None:
    after = read(anonymized(US, "expert"))
    assert after.PatientIdentityRemoved == "YES"
    assert after.BurnedInAnnotation == "NO"
    assert after.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = {code.CodeValue for code in after.DeidentificationMethodCodeSequence}
    assert codes == {"113100", "113101", "113104", "113105", "113107", "113108", "113109", "113111"}


def test_intervals_between_dates_survive_under_expert_and_only_years_under_safe_harbor() -> None:
    payload = changed(MR, StudyDate="20190314", SeriesDate="20190402", AcquisitionDateTime="20190314103000.5+0100")
    expert, safe = read(anonymized(payload, "expert")), read(anonymized(payload))
    days = [date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in (expert.StudyDate, expert.SeriesDate)]
    assert (days[1] - days[0]).days == 19
    assert expert.StudyDate != "20190314"
    assert expert.AcquisitionDateTime == f"{expert.StudyDate}103000.5+0100"
    assert (safe.StudyDate, safe.AcquisitionDateTime, safe.StudyTime) == ("20190101", "2019", "000000")


@pytest.mark.parametrize(("age", "published"), [("047Y", "047Y"), ("093Y", "090Y"), ("011M", "011M"), ("93", None)])
def test_ages_over_89_are_grouped(age: str, published: str | None) -> None:
    assert (read(anonymized(changed(MR, PatientAge=age))).get("PatientAge") or None) == published


@pytest.mark.parametrize(
    "values",
    [
        {"StudyInstanceUID": "1.2.840.10008.9702479.19500101"},
        {"ManufacturerModelName": "MRN#9702479/"},
        {"SequenceName": "(Mansouri)"},
        {"InstanceNumber": "9702479"},
        {"BodyPartExamined": "MANSOURILAYLA"},
    ],
)
def test_what_has_the_form_of_a_code_is_not_believed_when_it_is_known(values: dict[str, object]) -> None:
    payload = changed(MR, PatientName="Mansouri^Layla", PatientID="9702479", **values)
    published = (anonymized(payload, "expert").payload or b"").upper()
    assert b"9702479" not in published
    assert b"MANSOURI" not in published


def test_pixels_within_a_sequence_and_bits_that_are_not_shown_go() -> None:
    dataset = pydicom.dcmread(io.BytesIO(MR))
    icon = Dataset()
    icon.BitsAllocated = 8
    icon.PixelData = b"Quillona Vasterby "
    dataset.ReferencedImageSequence = [icon]
    dataset.BitsStored, dataset.HighBit = 12, 11
    drawn = dataset.pixel_array.astype("<u2") | 0x8000
    dataset.PixelData = drawn.tobytes()
    outcome = anonymized(written(dataset))
    assert b"Vasterby" not in (outcome.payload or b"")
    assert not (np.frombuffer(read(outcome).PixelData, "<u2") & 0xF000).any()


def test_a_length_that_swallows_what_follows_makes_no_number_of_it() -> None:
    payload, plants = objects()[0]
    at = payload.index(b"\x28\0\x03\1US") + 6  # the length of PixelRepresentation
    rest = payload[at + 2 :][:0xFFFE]
    damaged = payload[:at] + len(rest).to_bytes(2, "little") + rest
    swallowed = [plant for plant in plants if plant.encode() in rest]
    assert swallowed
    published = anonymized(damaged).payload or b""
    assert not [plant for plant in swallowed if plant.encode() in published]


def test_a_voice_is_held() -> None:
    with pytest.raises(Unpublishable, match="voice"):
        anonymized(changed(MR, SOPClassUID="1.2.840.10008.5.1.4.1.1.9.4.1"))


def test_uids_are_the_same_on_every_worker_and_another_subjects_differ() -> None:
    first, again, other = (read(anonymized(MR, key=key)) for key in (KEY, KEY, bytes(32)))
    second = read(anonymized(objects()[1][0]))
    assert first.StudyInstanceUID == again.StudyInstanceUID == second.StudyInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.StudyInstanceUID != other.StudyInstanceUID
    assert first.StudyInstanceUID.startswith("2.25.")
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID


def test_a_reference_within_a_study_still_leads_to_its_object() -> None:
    dataset = pydicom.dcmread(io.BytesIO(objects()[1][0]))
    reference = Dataset()
    reference.ReferencedSOPClassUID = dataset.SOPClassUID
    reference.ReferencedSOPInstanceUID = pydicom.dcmread(io.BytesIO(MR)).SOPInstanceUID
    dataset.ReferencedImageSequence = [reference]
    found = read(anonymized(written(dataset))).ReferencedImageSequence[0]
    assert found.ReferencedSOPInstanceUID == read(anonymized(MR)).SOPInstanceUID
    assert found.ReferencedSOPClassUID == dataset.SOPClassUID


def test_private_numbers_that_are_safe_stay_and_all_else_that_is_private_goes() -> None:
    dataset = pydicom.dcmread(io.BytesIO(MR))
    siemens = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    siemens.add_new(0x0C, "IS", "1000")
    siemens.add_new(0x0A, "LO", "Vasterby")
    acme = dataset.private_block(0x0029, "ACME", create=True)
    acme.add_new(0x01, "UT", "Vasterby")
    after = read(anonymized(written(dataset)))
    assert after[0x0019100C].value == 1000
    assert {element.tag for element in after if element.tag.is_private} == {0x00190010, 0x0019100C}


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_plain_transfer_syntax_keeps_its_pixels(syntax: pydicom.uid.UID) -> None:
    source = pydicom.dcmread(io.BytesIO(MR))
    pixels = source.pixel_array
    dataset = Dataset()  # one that was never read, so that it can be written in any encoding
    dataset.update({element.tag: element for element in source})
    dataset.file_meta = source.file_meta
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = pixels.astype(">u2").tobytes()
    after = read(anonymized(written(dataset)))
    assert np.array_equal(after.pixel_array, pixels)
    assert after.PatientID == PSEUDONYM


def test_text_in_pixels_is_masked_and_every_other_pixel_is_as_it_was() -> None:
    dataset = pydicom.dcmread(io.BytesIO(US))
    before = dataset.pixel_array
    dataset.compress(RLELossless)
    after = read(anonymized(written(dataset))).pixel_array
    ink = before == 255
    assert ink.sum() > 200
    assert not (after[ink] > 0).any()
    assert (after == before).mean() > 0.85
    assert set(np.unique(after[after != before])) == {0}


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGBaseline8Bit])
def test_comments_and_segments_within_compressed_pixels_go(syntax: pydicom.uid.UID) -> None:
    name = b"Quillona Vasterby"
    dataset = pydicom.dcmread(io.BytesIO(MR))
    if syntax == JPEG2000Lossless:
        dataset.compress(syntax)
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        comment = b"\xff\x64" + (4 + len(name)).to_bytes(2, "big") + b"\0\1" + name
        at = frame.index(b"\xff\x90")
    else:
        picture = io.BytesIO()
        Image.fromarray((dataset.pixel_array // 8).astype(np.uint8)).save(picture, "JPEG")
        frame = picture.getvalue()
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit = 7
        dataset.file_meta.TransferSyntaxUID = syntax
        segment = (2 + len(name)).to_bytes(2, "big") + name
        comment, at = b"\xff\xfe" + segment + b"\xff\xe1" + segment, 2
    dataset.PixelData = encapsulate([frame[:at] + comment + frame[at:]])
    dataset["PixelData"].is_undefined_length = True
    payload = written(dataset)
    assert name in payload
    outcome = anonymized(payload)
    assert name not in (outcome.payload or b"")
    assert np.array_equal(read(outcome).pixel_array, pydicom.dcmread(io.BytesIO(payload)).pixel_array)


def test_where_something_was_masked_is_told_and_never_what() -> None:
    outcome = anonymized(US)
    assert '"masked": [[' in (outcome.content or "")
    assert '"masked": []' in (anonymized(MR).content or "")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "document inside DICOM"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}, "raw data"),
        ({"Rows": 60_000, "Columns": 60_000}, "more than"),
        ({"BitsAllocated": 32}, "fewer pixels than it says"),
        ({"SOPInstanceUID": None}, "not a DICOM object"),
    ],
)
def test_what_cannot_be_made_safe_is_held_with_a_reason(values: dict[str, object], reason: str) -> None:
    with pytest.raises(Unpublishable, match=reason):
        anonymized(changed(MR, **values))


@pytest.mark.parametrize(
    ("values", "is_held"),
    [
        ({"BodyPartExamined": "BRAIN", "SliceThickness": 1.0}, True),
        ({"SeriesDescription": "t1 mprage sag", "SliceThickness": 1.0}, True),
        ({"BodyPartExamined": "HEAD", "SliceThickness": None}, True),
        ({"BodyPartExamined": "HEAD", "SliceThickness": 6.0}, False),
        ({"BodyPartExamined": "ABDOMEN", "SliceThickness": 1.0}, False),
    ],
)
def test_slices_of_a_head_of_which_a_face_can_be_rendered_are_held(values: dict[str, object], is_held: bool) -> None:
    payload = changed(MR, **values)
    if not is_held:
        assert read(anonymized(payload)).Modality == "MR"
        return
    with pytest.raises(Unpublishable, match="face can be rendered"):
        anonymized(payload)
