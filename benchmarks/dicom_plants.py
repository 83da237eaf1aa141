"""Plants identifiers into copies of real DICOM files, and writes the answer key that goes with them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import string
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

KEPT = {
    "Modality": "MR",
    "PatientSex": "F",
    "PatientAge": "047Y",
    "PatientSize": "1.65",
    "PatientWeight": "61",
    "Manufacturer": "SIEMENS",
    "ManufacturerModelName": "Prisma",
    "SliceThickness": "1.5",
    "KVP": "120",
    "SeriesNumber": "4",
    "InstanceNumber": "12",
    "BodyPartExamined": "ABDOMEN",
}
"""What a study needs and nobody is told by: keyword and value, which stay as they are."""

DESCRIPTIONS = {
    "StudyDescription": ("MR abdomen with contrast for {full}", "abdomen contrast"),
    "SeriesDescription": ("t2 axial fat sat {family}", "t2 axial fat sat"),
    "ProtocolName": ("liver dynamic, MRN {mrn}", "liver dynamic"),
    "ImageComments": ("{full} could not hold her breath, motion artifact", "motion artifact"),
    "AdditionalPatientHistory": ("Cirrhosis. Seen by Dr. {doctor}, call {phone}", "Cirrhosis"),
    "RequestedProcedureDescription": ("Liver MR, accession {accession}", "Liver MR"),
    "PatientComments": ("Mother {mother} waits outside", ""),
    "DerivationDescription": ("Reformatted for {family}", "Reformatted"),
}
"""Free texts with an identifier in them, and the words that have to stay."""


@dataclass(slots=True)
class Plants:
    """Of one file: the tokens that must not come out, the uids that must change, and the key's answers."""

    tokens: list[str] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, action: str, path: str, text: str = "", value: str = "") -> None:
        """Add an answer in the key's notation."""
        self.answers.append(
            {"action": f"<{action}>", "tag_ds": path, "action_text": f"<{text}>", "value": f"<{value}>"}
        )


def sources(folder: Path) -> Iterator[Path]:
    """Give the files of a folder that are DICOM objects with a patient and an instance."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = pydicom.dcmread(path)
                usable = dataset.SOPClassUID and dataset.SOPInstanceUID and "DirectoryRecordSequence" not in dataset
                list(dataset.iterall())
            except Exception:  # noqa: BLE001, S112 - odd files are among them on purpose
                continue
        if usable:
            yield path


def _word(chance: random.Random, length: int = 9) -> str:
    return "Q" + "".join(chance.choices(string.ascii_lowercase, k=length - 1))


def plant(path: Path, seed: int) -> tuple[bytes, Plants]:
    """Make a planted copy of a file."""
    chance = random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        for _ in dataset.iterall():  # converts what the source's character set says
            pass
        plants = Plants()
        dataset.SpecificCharacterSet = "ISO_IR 100"
        people = {name: _word(chance) for name in ("family", "given", "doctor", "mother", "operator", "site", "street")}
        numbers = {name: str(chance.randrange(10**7, 10**8)) for name in ("mrn", "accession", "other", "serial")}
        phone = f"617-555-{chance.randrange(100, 200):04}"
        words = {**people, **numbers, "phone": phone, "full": f"{people['given']} {people['family']}"}
        _direct(dataset, words, plants)
        _texts(dataset, words, plants)
        _nested(dataset, words, chance)
        _private(dataset, words)
        _dates_and_uids(dataset, chance, plants)
        plants.tokens += [*people.values(), *numbers.values(), phone]
        buffer = io.BytesIO()
        dataset.preamble = people["family"].encode().ljust(128, b"\0")
        dataset.file_meta.SourceApplicationEntityTitle = people["site"][:16]
        dataset.file_meta.PrivateInformationCreatorUID = UID("1.2.3.4")
        dataset.file_meta.PrivateInformation = people["family"].encode() + b"\0"
        dataset.save_as(buffer, enforce_file_format=True)
    if "PixelData" in dataset:
        digest = hashlib.md5(dataset.PixelData, usedforsecurity=False).hexdigest()
        plants.answer("pixels_retained", "<(7fe0,0010)>", digest)
    return buffer.getvalue(), plants


def _direct(dataset: Dataset, words: dict[str, str], plants: Plants) -> None:
    values = {
        "PatientName": f"{words['family']}^{words['given']}",
        "PatientID": words["mrn"],
        "OtherPatientIDs": words["other"],
        "PatientBirthDate": "19620304",
        "PatientAddress": f"14 {words['street']} Road",
        "PatientTelephoneNumbers": words["phone"],
        "PatientMotherBirthName": f"{words['mother']}^Ann",
        "ReferringPhysicianName": f"{words['doctor']}^Otto",
        "PerformingPhysicianName": f"{words['doctor']}^Otto",
        "OperatorsName": words["operator"],
        "InstitutionName": f"{words['site']} Hospital",
        "InstitutionAddress": f"14 {words['street']} Road",
        "AccessionNumber": words["accession"],
        "PatientBirthName": words["family"],
        "RequestingPhysician": f"{words['doctor']}^Otto",
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
        plants.answer("text_removed", _path(keyword), value)
    plants.answer("patid_consistent", _path("PatientID"), value=words["mrn"])
    for keyword, value in KEPT.items():
        if not str(dataset.get(keyword, "") or "").strip() or keyword in (
            "PatientSex",
            "PatientAge",
            "PatientSize",
            "PatientWeight",
        ):
            setattr(dataset, keyword, value)
        plants.answer("text_retained", _path(keyword), str(dataset[keyword].value))


def _texts(dataset: Dataset, words: dict[str, str], plants: Plants) -> None:
    for keyword, (text, kept) in DESCRIPTIONS.items():
        written = text.format(**words)
        setattr(dataset, keyword, written)
        planted = [word for word in words.values() if word in written and " " not in word]
        plants.answer("text_removed", _path(keyword), " ".join(planted))
        if kept:
            plants.answer("text_retained", _path(keyword), kept)


def _nested(dataset: Dataset, words: dict[str, str], chance: random.Random) -> None:
    deep, middle, request = Dataset(), Dataset(), Dataset()
    deep.PersonName = f"{words['doctor']}^Otto"
    deep.TextValue = f"Discussed with {words['full']}"
    middle.ContentSequence = [deep]
    dataset.ContentSequence = [middle]
    request.RequestedProcedureID = words["accession"]
    request.ScheduledProcedureStepDescription = f"MR for {words['family']}"
    dataset.RequestAttributesSequence = [request]
    original = Dataset()
    original.ModifiedAttributesSequence = [Dataset()]
    original.ModifiedAttributesSequence[0].PatientName = f"{words['family']}^{words['given']}"
    dataset.OriginalAttributesSequence = [original]
    icon = Dataset()
    icon.Rows, icon.Columns, icon.SamplesPerPixel, icon.BitsAllocated = 4, 4, 1, 8
    icon.BitsStored, icon.HighBit, icon.PixelRepresentation, icon.PhotometricInterpretation = 8, 7, 0, "MONOCHROME2"
    icon.PixelData = words["family"].encode().ljust(16, b"\0")
    dataset.IconImageSequence = [icon]
    dataset.add_new(0x60003000, "OW", words["family"].encode().ljust(32, b"\0"))
    dataset.add_new(0x60004000, "LT", words["full"])
    dataset.add_new(0xFFFCFFFC, "OB", words["family"].encode().ljust(32, b"\0"))


def _private(dataset: Dataset, words: dict[str, str]) -> None:
    block = dataset.private_block(0x0099, "ACME 1.1", create=True)
    block.add_new(0x01, "LO", words["full"])
    inner = Dataset()
    inner.PatientName = f"{words['family']}^{words['given']}"
    block.add_new(0x02, "SQ", [inner])
    block.add_new(0x03, "UN", words["mrn"].encode())


def _dates_and_uids(dataset: Dataset, chance: random.Random, plants: Plants) -> None:
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        value = f"20{chance.randrange(10, 24)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
        setattr(dataset, keyword, value)
        plants.answer("date_shifted", _path(keyword), value=value)
        plants.answer("text_notnull", _path(keyword))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        value = f"1.2.826.0.1.3680043.9.{chance.randrange(10**15)}"
        setattr(dataset, keyword, value)
        plants.answer("uid_changed", _path(keyword), value=value)
        plants.answer("uid_consistent", _path(keyword), value=value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    reference = Dataset()
    reference.ReferencedSOPClassUID = dataset.SOPClassUID
    reference.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    dataset.ReferencedImageSequence = [reference]
    plants.answer("uid_consistent", "<(0008,1140)>[<0000>]<(0008,1155)>", value=dataset.SOPInstanceUID)
    plants.answer("tag_retained", _path("PatientName"))


def _path(keyword: str) -> str:
    tag = pydicom.tag.Tag(keyword)
    return f"<({tag.group:04x},{tag.element:04x})>"


def write_key(target: Path, keyed: dict[str, Plants]) -> None:
    """Write the answers of files, by SOP instance UID, in the challenge's schema."""
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["SOPInstanceUID", "AnswerData"])
        for uid, plants in keyed.items():
            answers: dict[str, Any] = {str(number): answer for number, answer in enumerate(plants.answers)}
            writer.writerow([uid, json.dumps(answers)])
