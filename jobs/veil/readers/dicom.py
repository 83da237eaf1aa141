"""Reads DICOM objects (PS3.10) with bounds on time and memory."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from veil.contracts import Described, Malformed

_PREFIX = 128
_DEFLATED = DeflatedExplicitVRLittleEndian.encode()
_MOST_INFLATED = 512 << 20
"""Bytes of the largest data set that is inflated: a kilobyte can announce a gigabyte."""
AGAIN = "send it again from where it is archived"
"""What to do about an object that came damaged."""

_PATIENT, _ISSUER, _RECORDS = 0x00100020, 0x00100021, 0x00041220
_DATE, _MODALITY, _STUDY, _SERIES = 0x00080020, 0x00080060, 0x0020000D, 0x0020000E
_TOLD = (_PATIENT, _DATE, _MODALITY, _STUDY, _SERIES)
_DAY, _UID = re.compile(r"[0-9]{8}"), re.compile(r"[0-9.]{1,64}")
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
"""The code system of modalities (PS3.16, CID 29)."""
STUDY = "ImagingStudy"
"""The type of the reference from an object to its study; to its series it is ``Series``."""

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


@dataclass(frozen=True, slots=True)
class About:
    """The patient's ID and who issued it, "" where the object gives none; and whether it is a DICOMDIR."""

    patient: str = field(repr=False)
    issuer: str = field(default="", repr=False)
    is_directory: bool = False


def read_dicom(payload: bytes, *tags: int) -> Dataset:
    """Read an object, with the header of PS3.10 or without; with `tags` those elements alone, and no pixels.

    Raises
    ------
    Malformed
        It is damaged, truncated, nested too deeply, or inflates beyond 512 MiB.
    """
    _check_inflation(payload)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote values
            return pydicom.dcmread(
                io.BytesIO(payload), force=True, stop_before_pixels=bool(tags), specific_tags=list(tags) or None
            )
    except RecursionError:
        raise Malformed("sequences are nested too deeply: have the object looked at before it is sent again") from None
    except Exception as error:  # noqa: BLE001 - a damaged file makes the reader raise anything, and quote the file
        raise Malformed(f"damaged or truncated DICOM object ({type(error).__name__}): {AGAIN}") from None


def patient_of(payload: bytes) -> About:
    """Read whom an object is about; nobody, where it cannot be read, for the anonymizer to say why."""
    try:
        header = read_dicom(payload, _PATIENT, _ISSUER, _RECORDS)
        patient, issuer = (str(header[tag].value or "") if tag in header else "" for tag in (_PATIENT, _ISSUER))
        return About(patient.strip(), issuer.strip(), _RECORDS in header)
    except Exception:  # noqa: BLE001 - a damaged value makes the reader raise anything
        return About("")


def described(payload: bytes) -> Described:
    """Read whom an object is about, when, by what and of which study and series; nothing where it cannot be read.

    `start` is the date of the study, without the time, which is local to wherever it was made.
    """
    try:
        header = read_dicom(payload, *_TOLD)
        told = {tag: str(header[tag].value or "").strip() if tag in header else "" for tag in _TOLD}
    except Exception:  # noqa: BLE001 - a damaged value makes the reader raise anything
        return Described()
    day, modality = told[_DATE], told[_MODALITY]
    parts = ((STUDY, told[_STUDY]), ("Series", told[_SERIES]))
    return Described(
        subject=told[_PATIENT],
        start=f"{day[:4]}-{day[4:6]}-{day[6:]}" if _DAY.fullmatch(day) else None,
        code_system=_DCM if modality else None,
        code=modality or None,
        references=tuple(f"{kind}/{uid}" for kind, uid in parts if _UID.fullmatch(uid)),
    )


def _check_inflation(payload: bytes) -> None:
    """Refuse a deflated object (PS3.5 A.5) that is far larger than it looks, before anything inflates it."""
    head = payload[: _PREFIX + 65_536]
    if payload[_PREFIX : _PREFIX + 4] != b"DICM" or _DEFLATED not in head:
        return
    # the first element of the file meta information is its own length (PS3.10, 7.1)
    group, element, _, size, length = struct.unpack_from("<HH2sHI", payload.ljust(_PREFIX + 16, b"\0"), _PREFIX + 4)
    if (group, element, size) != (2, 0, 4):
        raise Malformed("a deflated object has to tell the length of its file meta information: send it uncompressed")
    inflater: Any = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflater.decompress(payload[_PREFIX + 16 + length :], _MOST_INFLATED)
    except zlib.error:
        raise Malformed(f"damaged or truncated DICOM object (deflate): {AGAIN}") from None
    if inflater.unconsumed_tail:
        raise Malformed(f"the object inflates to more than {_MOST_INFLATED >> 20} MiB: split it")
