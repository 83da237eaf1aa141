"""DICOM objects from and to bytes (PS3.10): whatever is wrong with one is a reason, never a crash or a quotation."""

from __future__ import annotations

import io
import warnings

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from veil.contracts import Malformed, Unpublishable
from veil.readers.dicom import AGAIN, read_dicom

_PREFIX = 128
_IMPLEMENTATION = UID("2.25.241508237718920846137421360894170238721")
"""The Implementation Class UID of files that Veil writes."""

pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE


def read(payload: bytes) -> Dataset:
    """Read a DICOM object, with the header of PS3.10 or without.

    Raises
    ------
    Unpublishable
        It is none, is damaged or truncated, inflates beyond 512 MiB, or is a DICOMDIR.
    """
    try:
        dataset = read_dicom(payload)
        kind, name = dataset.get("SOPClassUID"), dataset.get("SOPInstanceUID")
        listed = "DirectoryRecordSequence" in dataset
    except Malformed as error:
        raise Unpublishable(str(error)) from None
    except Exception as error:  # noqa: BLE001 - a damaged value makes the reader raise anything, and quote it
        raise Unpublishable(f"damaged DICOM object ({type(error).__name__}): {AGAIN}") from None
    if listed:
        raise Unpublishable("a DICOMDIR lists what it lies beside and is not published: send the objects themselves")
    if not kind or not name:
        raise Unpublishable(
            "not a DICOM object, for it has no SOP class or no SOP instance UID: leave it out, or export it anew"
        )
    return dataset


def write(dataset: Dataset) -> bytes:
    """Write an object with a header of its own: nothing of the source's preamble or file meta information is in it."""
    syntax = dataset.file_meta.get("TransferSyntaxUID") or _guessed(dataset)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    # what is inside a deflated object is written as it is: sizes tell less, and every reader can read it
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == DeflatedExplicitVRLittleEndian else syntax
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "VEIL"
    dataset.file_meta = meta
    if dataset.original_encoding != (meta.TransferSyntaxUID.is_implicit_VR, meta.TransferSyntaxUID.is_little_endian):
        for _ in dataset.iterall():  # bytes that nobody has looked at yet are in the source's order
            pass
    dataset.preamble = bytes(_PREFIX)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _guessed(dataset: Dataset) -> UID:
    implicit, little = dataset.original_encoding
    if implicit is None or little is None:
        raise Unpublishable("the object tells no transfer syntax: export it anew, with its file meta information")
    if implicit:
        return pydicom.uid.ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian
