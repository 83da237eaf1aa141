"""Masks text that is burned into pixels (PS3.15 E.3.1, Clean Pixel Data Option)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage

from veil.contracts import Unpublishable
from veil.policy.dicom import Layout
from veil.readers.dicom import AGAIN

from .codestream import JPEG, strip
from .ocr import Box, Picture, TextFinder

_UNWRITTEN = frozenset({"CT", "MR", "PT", "NM", "SEG", "RTDOSE", "REG"})
"""Kinds of image (Modality, 0008,0060) that come as they were measured; in any other, devices and people write."""

_OFFSETS = (0x7FE00001, 0x7FE00002, 0x7FE00003)
"""Extended Offset Table, its lengths, and Encapsulated Pixel Data Value Total Length."""

_MOST_PIXELS = 100_000_000
_MOST_BYTES = 1 << 30
"""Of one frame, and of all frames when they are to be masked: a kilobyte can announce a terabyte."""
_SMALLEST = 48
"""Pixels of the shorter side, under which no text can be read."""
_FRAME_HEADER = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf\xf7]..\x02?.(..)(..)", re.DOTALL)


def mask(dataset: Dataset, finder: TextFinder, layouts: Sequence[Layout]) -> tuple[Box, ...]:
    """Find text in every frame and paint it over, in all frames, in place.

    Where nothing is found the pixel data stay as they are, compressed or not; else they are written uncompressed, the
    pixels outside of the boxes unchanged unless the source was lossy.

    Raises
    ------
    Unpublishable
        The pixels cannot be decoded, are too large, or are of a kind that cannot be masked.
    """
    if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return ()
    _check_size(dataset)
    _cut(dataset)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            boxes = {*_known(dataset, layouts), *(() if _is_bitmap(dataset) else _found(dataset, finder))}
            if boxes:
                _paint(dataset, boxes)
            elif "PixelData" in dataset:
                strip(dataset)
            for tag in _OFFSETS:  # of the frames as they were
                dataset.pop(tag, None)
    except Unpublishable:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged codestream makes a decoder raise anything
        raise Unpublishable(
            f"the pixels cannot be decoded ({type(error).__name__}): send them uncompressed (Explicit VR Little Endian)"
        ) from None
    dataset.BurnedInAnnotation = "NO"
    return tuple(sorted(boxes))


def _is_bitmap(dataset: Dataset) -> bool:
    """Whether it is a mask that an algorithm draws over another object: nobody writes in it."""
    return bool(dataset.SOPClassUID == SegmentationStorage and dataset.BitsAllocated == 1)


def _check_size(dataset: Dataset) -> None:
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    if not rows or not columns:
        raise Unpublishable("the object has pixels but no rows or columns: export it anew")
    if rows * columns > _MOST_PIXELS:
        raise Unpublishable(
            f"frames of more than {_MOST_PIXELS:,} pixels: send them at a lower resolution, or in tiles"
        )
    if "PixelData" in dataset and dataset.file_meta.get("TransferSyntaxUID", ExplicitVRLittleEndian) in JPEG:
        for found in _FRAME_HEADER.finditer(dataset.PixelData[: 1 << 16]):
            if int.from_bytes(found[1], "big") * int.from_bytes(found[2], "big") > 4 * rows * columns:
                raise Unpublishable(
                    "a compressed frame is larger than the object says: have it looked at before it is sent again"
                )
            return


def _cut(dataset: Dataset) -> None:
    """Leave no bytes behind the pixels (PS3.5, 8.1.1): whoever writes them could write anything.

    Raises
    ------
    Unpublishable
        There are fewer than the object says.
    """
    if "PixelData" not in dataset or dataset.file_meta.get("TransferSyntaxUID", ExplicitVRLittleEndian).is_compressed:
        return
    length = get_expected_length(dataset)
    if len(dataset.PixelData) < length:
        raise Unpublishable(f"damaged or truncated DICOM object, with fewer pixels than it says: {AGAIN}")
    dataset.PixelData = _within_bits(dataset, dataset.PixelData[:length]) + bytes(length % 2)


def _within_bits(dataset: Dataset, pixels: bytes) -> bytes:
    """Clear the bits that are not stored: overlays were once drawn in them (PS3.5-2004, 8.1.2)."""
    stored, high = int(dataset.BitsStored), int(dataset.HighBit)
    if dataset.BitsAllocated != 16 or stored >= 16 or high != stored - 1 or dataset.PixelRepresentation:
        return pixels
    order = "<" if dataset.original_encoding[1] is not False else ">"
    values = np.frombuffer(pixels, f"{order}u2")
    kept = (1 << stored) - 1
    return pixels if int(values.max(initial=0)) <= kept else (values & kept).astype(f"{order}u2").tobytes()


def _found(dataset: Dataset, finder: TextFinder) -> Iterator[Box]:
    at_risk = _is_at_risk(dataset)
    last: Picture | None = None
    for number in range(int(dataset.get("NumberOfFrames") or 1)):
        picture = _picture(pixel_array(dataset, index=number))
        if min(picture.shape[:2]) < _SMALLEST or (last is not None and np.array_equal(picture, last)):
            continue
        last = picture
        # a device writes the same into every frame: one is searched thoroughly, all are searched
        yield from finder.find(picture, thorough=at_risk and number == 0)


def _is_at_risk(dataset: Dataset) -> bool:
    kinds = {str(part).upper() for part in dataset.get("ImageType") or ()}
    return (
        dataset.get("Modality") not in _UNWRITTEN
        or bool(kinds & {"DERIVED", "SECONDARY", "SCREEN SAVE"})
        or dataset.get("BurnedInAnnotation") == "YES"
    )


def _known(dataset: Dataset, layouts: Sequence[Layout]) -> Iterator[Box]:
    """Give the boxes in which a device is known to write."""
    for layout in layouts:
        if all(str(dataset.get(keyword, "")) == value for keyword, value in layout.device.items()):
            for left, top, right, bottom in layout.boxes:
                yield Box(left, top, min(right, int(dataset.Columns)), min(bottom, int(dataset.Rows)))


def _picture(frame: np.ndarray[Any, Any]) -> Picture:
    """Spread what a frame holds, whatever its depth, over 8 bits."""
    if frame.dtype != np.uint8:
        values = np.nan_to_num(frame.astype(np.float32))
        low, high = float(values.min()), float(values.max())
        frame = ((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    elif frame.size and 0 < frame.max() < 128:
        frame = (frame.astype(np.uint16) * 255 // int(frame.max())).astype(np.uint8)
    return np.ascontiguousarray(frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2))


def _paint(dataset: Dataset, boxes: set[Box]) -> None:
    if "PixelData" not in dataset or dataset.BitsAllocated == 1:
        raise Unpublishable("text stands in pixels that are no plain image: mask it before it is sent")
    samples, frames = int(dataset.get("SamplesPerPixel") or 1), int(dataset.get("NumberOfFrames") or 1)
    if int(dataset.Rows) * int(dataset.Columns) * samples * frames * dataset.BitsAllocated // 8 > _MOST_BYTES:
        raise Unpublishable(f"text stands in an object of more than {_MOST_BYTES >> 30} GiB of pixels: split it")
    model = str(dataset.PhotometricInterpretation)
    as_stored = model in {"YBR_FULL", "RGB"} or samples == 1
    values = np.array(pixel_array(dataset, raw=as_stored))
    ink = (0, 128, 128) if as_stored and model == "YBR_FULL" else _darkest(dataset, values)
    for left, top, right, bottom in boxes:
        where = (slice(top, bottom), slice(left, right))
        values[where if frames == 1 else (slice(None), *where)] = ink
    dataset.PixelData = values.astype(values.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OB" if dataset.BitsAllocated <= 8 else "OW"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if samples > 1:
        dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = model if as_stored else "RGB"


def _darkest(dataset: Dataset, values: np.ndarray[Any, Any]) -> Any:
    """Give the value of background: the least, or the greatest where that is shown black."""
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        return values.max()
    return 0 if values.ndim and int(dataset.get("SamplesPerPixel") or 1) > 1 else values.min()
