"""DICOM studies of demo patients: identifiers in headers, sequences, private elements, and burned into the pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

from veil.demo.people import Person, fold
from veil.demo.resources import Plant

if TYPE_CHECKING:
    import numpy as np
    from pydicom.dataset import Dataset

_MR, _US = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.6.1"
_SIZE = 128
_SITE = "Hallorweg Memorial Hospital"


def study(rng: Random, person: Person, day: date) -> Iterator[tuple[str, bytes, list[Plant]]]:
    """Make two slices of an abdominal MR and an ultrasound image of `person`: name, bytes, what was planted."""
    uids = {name: f"2.25.{rng.getrandbits(120)}" for name in ("study", "mr", "us", "frame")}
    for number in (1, 2):
        dataset, plants = _header(rng, person, day, uids, "mr")
        dataset.SOPClassUID, dataset.Modality, dataset.BodyPartExamined = _MR, "MR", "ABDOMEN"
        dataset.InstanceNumber, dataset.SliceThickness = number, 6.0
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 6.0 * number], [1, 0, 0, 0, 1, 0]
        _pixels(dataset, _phantom(rng, bright=1200), bits=16)
        yield f"IM{number:04}", _written(dataset), plants
    dataset, plants = _header(rng, person, day, uids, "us")
    dataset.SOPClassUID, dataset.Modality, dataset.InstanceNumber = _US, "US", 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    _pixels(dataset, _captioned(_phantom(rng, bright=150), person, day), bits=8)
    yield "US0001", _written(dataset), plants


def _header(rng: Random, person: Person, day: date, uids: dict[str, str], series: str) -> tuple[Dataset, list[Plant]]:
    from pydicom.dataset import Dataset

    name, family = f"{fold(person.family)}^{fold(person.given)}", fold(person.family)
    accession = f"A{rng.randrange(10**7, 10**8)}"
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPInstanceUID = f"2.25.{rng.getrandbits(120)}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uids["study"], uids[series]
    dataset.FrameOfReferenceUID = uids["frame"]
    dataset.StudyDate = dataset.SeriesDate = f"{day:%Y%m%d}"
    dataset.StudyTime = "094107"
    dataset.AccessionNumber, dataset.StudyID = accession, "1"
    dataset.ReferringPhysicianName, dataset.InstitutionName = "Marsh^Otto", _SITE
    dataset.StudyDescription = f"Abdomen of {family}, please call back"
    dataset.SeriesDescription = "t2 axial"
    dataset.PatientName, dataset.PatientID = name, person.mrn
    dataset.PatientBirthDate, dataset.PatientSex = f"{person.birth:%Y%m%d}", "O"
    dataset.PatientAge = f"{min(999, max(0, (day - person.birth).days // 365)):03}Y"
    dataset.PatientTelephoneNumbers = person.phone
    dataset.ImageComments = f"MRN {person.mrn}, {family} could not hold her breath"
    dataset.DeviceSerialNumber = person.device
    dataset.Manufacturer = "Demo Imaging"
    other = Dataset()
    other.PatientID, other.TypeOfPatientID = person.mrn, "TEXT"
    dataset.OtherPatientIDsSequence = [other]
    request = Dataset()
    request.RequestedProcedureDescription, request.RequestedProcedureID = f"MR for {fold(person.name)}", accession
    dataset.RequestAttributesSequence = [request]
    block = dataset.private_block(0x0009, "DEMO IMAGING 1", create=True)
    block.add_new(0x01, "LO", name)
    return dataset, [
        ("NAME", name, "PatientName"),
        ("MRN", person.mrn, "PatientID, ImageComments, OtherPatientIDsSequence"),
        ("NAME", family, "StudyDescription, ImageComments, private element"),
        ("ID", accession, "AccessionNumber, RequestAttributesSequence"),
        ("DEVICE", person.device, "DeviceSerialNumber"),
    ]


def _phantom(rng: Random, *, bright: int) -> np.ndarray[Any, Any]:
    """Draw an ellipse with noise in it."""
    import numpy as np

    noise = np.random.default_rng(rng.getrandbits(32))
    down, across = np.mgrid[-1 : 1 : _SIZE * 1j, -1 : 1 : _SIZE * 1j]
    inside = (down / 0.7) ** 2 + (across / 0.85) ** 2 < 1
    return np.asarray(inside * (bright * (0.6 + 0.1 * noise.standard_normal((_SIZE, _SIZE)))))


def _captioned(values: np.ndarray[Any, Any], person: Person, day: date) -> np.ndarray[Any, Any]:
    """Burn in what a scanner writes: name, number, date; three times as large as the phantom."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(values.clip(0, 255).astype(np.uint8)).resize((3 * _SIZE, 3 * _SIZE))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    draw.text((8, 6), fold(person.name).upper(), font=font, fill=255)
    draw.text((8, 26), f"MRN {person.mrn}", font=font, fill=255)
    draw.text((8, 3 * _SIZE - 26), f"{day:%m/%d/%Y}", font=font, fill=255)
    return np.asarray(picture)


def _pixels(dataset: Dataset, values: np.ndarray[Any, Any], *, bits: int) -> None:
    import numpy as np

    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    dataset.PixelData = values.clip(0, 2**bits - 1).astype(np.uint8 if bits == 8 else "<u2").tobytes()


def _written(dataset: Dataset) -> bytes:
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.SourceApplicationEntityTitle = str(dataset.PatientName.family_name).upper()[:16]
    dataset.preamble = str(dataset.PatientName).encode().ljust(128, b"\0")[:128]
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
