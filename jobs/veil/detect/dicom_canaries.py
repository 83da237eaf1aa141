"""Known-bad DICOM objects: each breaks one rule, and the gate has to find it on every run. All of it is invented."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from veil.contracts import Profile

_PSEUDONYM = "c" * 32
_SIZE = 32
"""Pixels of a side: too few for a text, so that they need not be read."""
_LEGIBLE = 160
Damage = Callable[[Any], None]
"""Puts something identifying into a data set."""


def dicom_canaries(profile: Profile) -> list[bytes]:
    """Objects that `veil.detect.dicom.leaks` must flag, one for each rule that the profile has."""
    damages = {**_DAMAGES, **(_SAFE_HARBOR if profile == "safe_harbor" else {})}
    written = [_written(_object(damage)) for damage in damages.values()]
    return [*written, _with_preamble(written[0]), b"no object at all", _with_meta()]


def clean_object() -> bytes:
    """Give the object that the canaries are made of, which breaks no rule."""
    return _written(_object(lambda dataset: None))


def _object(damage: Damage) -> Any:
    from pydicom.dataset import Dataset

    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.71"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.72", "2.25.73"
    dataset.Modality = "OT"
    dataset.PatientName = dataset.PatientID = _PSEUDONYM
    dataset.PatientIdentityRemoved = "YES"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = _SIZE
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes(_SIZE * _SIZE)
    damage(dataset)
    return dataset


def _written(dataset: Any, **meta: str) -> bytes:
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = "2.25.7"
    for keyword, value in meta.items():
        setattr(dataset.file_meta, keyword, value)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _with_preamble(payload: bytes) -> bytes:
    return b"Quillon Vasterby".ljust(128, b"\0") + payload[128:]


def _with_meta() -> bytes:
    return _written(_object(lambda dataset: None), SourceApplicationEntityTitle="VASTERBY")


def _set(keyword: str, value: Any) -> Damage:
    return lambda dataset: setattr(dataset, keyword, value)


def _nested(dataset: Any) -> None:
    from pydicom.dataset import Dataset

    inner, item = Dataset(), Dataset()
    inner.PersonName = "Vasterby^Quillon"
    item.ContentSequence = [inner]
    dataset.ContentSequence = [item]


def _private(dataset: Any) -> None:
    block = dataset.private_block(0x0009, "HALLORWEG 1", create=True)
    block.add_new(0x01, "UT", "Quillon Vasterby")


def _burned_in(dataset: Any) -> None:
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (_LEGIBLE, _LEGIBLE))
    ImageDraw.Draw(picture).text((8, 40), "VASTERBY", font=ImageFont.load_default(24), fill=255)
    dataset.Rows = dataset.Columns = _LEGIBLE
    dataset.PixelData = np.asarray(picture).tobytes()


_DAMAGES: dict[str, Damage] = {
    "person-name": _nested,
    "private": _private,
    "burned-in": _burned_in,
    "unknown-attribute": lambda dataset: dataset.add_new(0x00081122, "LO", "Vasterby"),
    "graphics": lambda dataset: dataset.add_new(0x60003000, "OW", bytes(64)),
    "document": _set("EncapsulatedDocument", b"%PDF-1.4"),
    "patient-id": _set("PatientID", "40817263"),
    "uid": _set("FrameOfReferenceUID", "1.3.12.2.1107.5.2.32.35162"),
    "birth-date": _set("PatientBirthDate", "19620304"),
    "age": _set("PatientAge", "093Y"),
    "place": _set("InstitutionName", "Hallorweg Memorial"),
    "unmarked": _set("PatientIdentityRemoved", "NO"),
    "text": _set("StudyDescription", "Call Dr. Hallorweg at 617-555-0182."),
}
_SAFE_HARBOR: dict[str, Damage] = {
    "date": _set("StudyDate", "20190314"),
    "device": _set("DeviceSerialNumber", "40817263"),
}
