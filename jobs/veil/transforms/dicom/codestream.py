"""Compressed frames without what decoding does not need: comments and application segments can hold a name.

JPEG and JPEG-LS: ITU-T T.81, B.1.1.2 and B.2.4; JPEG 2000: ITU-T T.800, A.9.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2K,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
)

JPEG = frozenset((*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes))
"""Transfer syntaxes whose frames are made of the segments of JPEG."""

_JPEG_2000 = frozenset((*JPEG2000TransferSyntaxes, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL))
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_BARE = frozenset((0x01, _SOI, *range(0xD0, 0xD8)))
_NEEDED = ((0xE0, b"JFIF\0", 16), (0xEE, b"Adobe", 14), (0xE8, b"mrfx", 7))
"""Marker, beginning and length of the application segments that tell a decoder of colours."""

_J2K_START = b"\xff\x4f\xff\x51"
_J2K_COMMENT, _J2K_TILE = 0x64, 0x90


def strip(dataset: Dataset) -> None:
    """Rewrite compressed pixel data in place, every frame without comments and application segments.

    Raises
    ------
    ValueError
        A frame is no codestream of its transfer syntax.
    """
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax not in JPEG | _JPEG_2000:
        return
    frames = list(generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames") or 1)))
    clean = [_jpeg(frame) if syntax in JPEG else _jpeg_2000(frame) for frame in frames]
    # with an offset table of their own, where the source's is neither empty nor the true one: it could hold anything
    without, table = (encapsulate(clean, has_bot=has_table) for has_table in (False, True))
    dataset.PixelData = without if dataset.PixelData == without else table
    dataset["PixelData"].is_undefined_length = True


def _jpeg(frame: bytes) -> bytes:
    return b"".join(_segments(frame))


def _segments(frame: bytes) -> Iterator[bytes]:
    if not frame.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG")
    at = 0
    while at + 2 <= len(frame):
        if frame[at] != 0xFF:
            raise ValueError("no marker")
        marker = frame[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker == _EOI:
            yield frame[at : at + 2]
            return
        length = 0 if marker in _BARE else int.from_bytes(frame[at + 2 : at + 4], "big")
        end = at + 2 + length
        if marker == _SOS:
            end = _after_scan(frame, end)
        if 0xE0 <= marker <= 0xEF:
            yield _application(frame[at:end])
        elif marker != _COM:
            yield frame[at:end]
        at = end
    raise ValueError("no end of the image")


def _application(segment: bytes) -> bytes:
    """Leave of an application segment what tells a decoder of colours: the fixed fields of JFIF, Adobe and HP's."""
    for marker, start, length in _NEEDED:
        if segment[1] == marker and segment[4:].startswith(start):
            fixed = segment[4 : 2 + length]
            if start == b"JFIF\0":
                fixed = fixed[:-2] + b"\0\0"  # no thumbnail
            return segment[:2] + length.to_bytes(2, "big") + fixed
    return b""


def _after_scan(frame: bytes, at: int) -> int:
    """Give where the entropy-coded data of a scan end: at a marker that is no restart and no stuffed byte."""
    while True:
        at = frame.find(b"\xff", at)
        if at < 0 or at + 1 >= len(frame):
            raise ValueError("no end of the scan")
        # JPEG-LS stuffs a bit: what follows FF in its data is below 80
        if frame[at + 1] >= 0x80 and not 0xD0 <= frame[at + 1] <= 0xD7 and frame[at + 1] != 0xFF:
            return at
        at += 1


def _jpeg_2000(frame: bytes) -> bytes:
    start = frame.find(_J2K_START)
    if start < 0:
        raise ValueError("no JPEG 2000 codestream")
    # boxes of a JP2 file around it (XML and UUID among them) have no place in DICOM (PS3.5, A.4.4)
    frame = frame[start:]
    parts, at = [frame[:2]], 2
    while at + 4 <= len(frame) and frame[at] == 0xFF and frame[at + 1] != _J2K_TILE:
        end = at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
        if frame[at + 1] != _J2K_COMMENT:
            parts.append(frame[at:end])
        at = end
    stop = frame.rfind(b"\xff\xd9")
    return b"".join([*parts, frame[at : stop + 2] if stop >= at else frame[at:]])
