"""Reads what stands in published pixels, with PP-OCRv4 (PaddleOCR, Apache-2.0): not the engine that masked them."""

from __future__ import annotations

import io
import re
import warnings
from functools import cache
from typing import Any

import numpy as np

Picture = np.ndarray[Any, Any]

_FRAMES = 8
"""Frames that are read, evenly spread, beside the brightest that every pixel gets."""
_SMALLEST = 48
_SURE = 0.8
_LETTERS = 4
"""Letters and digits from which on a text can name somebody."""
_HARMLESS = re.compile(
    r"(?:left|right|lat|lateral|supine|prone|erect|upright|portable|decubitus|axial|sagittal|coronal|sitting)"
    r"|\d{1,3}(?:\.\d{1,2})? ?(?:cm|mm|[mk]?hz|db|kvp?|mas?|ms|fps|%)",
    re.IGNORECASE,
)


def burned_in(payload: bytes) -> bool:
    """Whether somebody can read four letters or digits or more in the pixels; True where they do not decode."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(payload))
        if "PixelData" not in dataset:
            return False
        pictures = _pictures(dataset)
    return any(_reads(picture) for picture in pictures if min(picture.shape[:2]) >= _SMALLEST)


def _pictures(dataset: Any) -> list[Picture]:
    from pydicom.pixels.utils import pixel_array

    frames = int(dataset.get("NumberOfFrames") or 1)
    chosen = sorted({round(step * (frames - 1) / (_FRAMES - 1)) for step in range(_FRAMES)}) if frames > 1 else [0]
    seen = [_eight_bits(pixel_array(dataset, index=number)) for number in chosen]
    return [*seen, np.max(np.stack(seen), axis=0)] if len(seen) > 1 else seen


def _eight_bits(frame: Picture) -> Picture:
    values = np.nan_to_num(frame.astype(np.float32))
    low, high = values.min(), values.max()
    scaled = ((values - low) * (255.0 / (high - low) if high > low else 0.0)).astype(np.uint8)
    return scaled if scaled.ndim == 3 else np.repeat(scaled[..., None], 3, axis=2)


def _reads(picture: Picture) -> bool:
    found, _ = _reader()(picture, use_cls=False)
    height, width = picture.shape[:2]
    for corners, written, score in found or ():
        box = np.asarray(corners)
        tall = min(np.ptp(box[:, 0]), np.ptp(box[:, 1])) > min(height, width) / 4  # an organ, round like an O
        letters = len(re.sub(r"[\W_]", "", written))
        if float(score) >= _SURE and letters >= _LETTERS and not tall and not _HARMLESS.fullmatch(written.strip()):
            return True
    return False


@cache
def _reader() -> Any:
    import logging

    from rapidocr_onnxruntime import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
