"""DICOM files in, DICOM files out (PS3.10): whatever is wrong with one is a reason, never a crash or a quotation."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from veil.contracts import Unpublishable

_PREFIX = 128
_DEFLATED = DeflatedExplicitVRLittleEndian.encode()
_MOST_INFLATED = 512 << 20
"""Bytes of the largest data set that is inflated: a kilobyte can announce a gigabyte."""
_IMPLEMENTATION = UID("2.25.241508237718920846137421360894170238721")
"""The Implementation Class UID of files that Veil writes."""

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE


def read(payload: bytes) -> Dataset:
    """Read a DICOM object, with the header of PS3.10 or without.

    Raises
    ------
    Unpublishable
        It is none, is damaged or truncated, inflates beyond 512 MiB, or is a DICOMDIR.
    """
    _check_inflation(payload)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote values
            dataset = pydicom.dcmread(io.BytesIO(payload), force=True)
            kind, name = dataset.get("SOPClassUID"), dataset.get("SOPInstanceUID")
            of_media = dataset.get("file_meta", {}).get("MediaStorageSOPClassUID")
            is_directory = of_media == MediaStorageDirectoryStorage or "DirectoryRecordSequence" in dataset
    except RecursionError:
        raise Unpublishable("sequences are nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - a damaged file makes the reader raise anything, and quote the file
        raise Unpublishable(f"damaged or truncated DICOM object ({type(error).__name__})") from None
    if is_directory:
        raise Unpublishable("a DICOMDIR lists what it lies beside and is not published: send the objects themselves")
    if not kind or not name:
        raise Unpublishable("not a DICOM object: it has no SOP class or no SOP instance UID")
    return dataset


def write(dataset: Dataset) -> bytes:
    """Write an object with a header of its own: nothing of the source's preamble or file meta information is in it."""
    source = dataset.get("file_meta") or FileMetaDataset()
    syntax = source.get("TransferSyntaxUID") or _guessed(dataset)
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
        raise Unpublishable("the object tells no transfer syntax")
    if implicit:
        return pydicom.uid.ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian


def _check_inflation(payload: bytes) -> None:
    """Refuse a deflated object (PS3.5 A.5) that is far larger than it looks, before anything inflates it."""
    head = payload[: _PREFIX + 2048]
    if payload[_PREFIX : _PREFIX + 4] != b"DICM" or _DEFLATED not in head:
        return
    # the first element of the file meta information is its own length (PS3.10, 7.1)
    group, element, _, size, length = struct.unpack_from("<HH2sHI", payload.ljust(_PREFIX + 16, b"\0"), _PREFIX + 4)
    if (group, element, size) != (2, 0, 4):
        raise Unpublishable("a deflated object has to tell the length of its file meta information")
    inflater: Any = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflater.decompress(payload[_PREFIX + 16 + length :], _MOST_INFLATED)
    except zlib.error:
        raise Unpublishable("damaged or truncated DICOM object (deflate)") from None
    if inflater.unconsumed_tail:
        raise Unpublishable(f"the object inflates to more than {_MOST_INFLATED >> 20} MiB")
