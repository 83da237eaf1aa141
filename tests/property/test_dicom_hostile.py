"""DICOM objects that nobody would send: each is anonymized or held with a reason, and nothing planted comes out."""

from __future__ import annotations

import io
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tests.dicom_objects import anonymized, objects, written
from veil.contracts import Malformed, Outcome, Unpublishable

PAYLOAD, PLANTS = objects()[0]
HEADER = len(PAYLOAD) - 2 * 128 * 128
"""Where the pixels begin: what is changed before is read as structure."""
EXAMPLES = int(os.environ.get("VEIL_FUZZ_EXAMPLES", "40"))
NAMES = [plant.encode() for plant in PLANTS if len(plant) > 5]


def tried(payload: bytes) -> Outcome | None:
    """Anonymize; None where the object is held. Anything else that is raised fails the test."""
    try:
        return anonymized(payload)
    except (Unpublishable, Malformed):
        return None


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(PAYLOAD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(132, HEADER - 1))
        match draw(st.sampled_from(["flip", "cut", "copy", "length"])):
            case "flip":
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 40))]
            case "copy":
                data[at:at] = data[at : at + draw(st.integers(1, 200))]
            case "length":
                data[at : at + 4] = draw(st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"]))
    return bytes(data)


@given(damaged())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_damaged_object_is_anonymized_or_held(payload: bytes) -> None:
    outcome = tried(payload)
    if outcome is not None:
        # a name that the damage cut in two is not known to be one
        whole = [name for name in NAMES if name in payload]
        assert not [name for name in whole if name in (outcome.payload or b"") and payload.count(name) > 3]


VALUES = st.text(max_size=40) | st.binary(max_size=40) | st.integers(-(2**31), 2**31) | st.floats() | st.none()
TAGS = st.integers(0x00080000, 0x00500000).filter(lambda tag: tag & 0xFFFF)
KINDS = st.sampled_from(
    ["LO", "SH", "PN", "UI", "DA", "TM", "DT", "CS", "DS", "IS", "UT", "OB", "UN", "AS", "US", "AT"]
)


@given(st.lists(st.tuples(TAGS, KINDS, VALUES), max_size=12), st.integers(0, 12))
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_elements_hold_is_anonymized_or_held(elements: list[tuple[int, str, Any]], depth: int) -> None:
    dataset = pydicom.dcmread(io.BytesIO(PAYLOAD))
    item = Dataset()
    try:
        for tag, kind, value in elements:
            item.add_new(tag, kind, value)
        for _ in range(depth):
            outer = Dataset()
            outer.ContentSequence = [item]
            item = outer
        dataset.ContentSequence = [item]
        payload = written(dataset)
    except Exception:  # noqa: BLE001 - what cannot be written cannot be sent
        return
    tried(payload)


def _element(group: int, number: int, kind: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", group, number, kind, len(value)) + value


def _deep() -> bytes:
    start = b"\x40\0\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    return PAYLOAD + start * 10_000


def _deflated_bomb() -> bytes:
    syntax = b"1.2.840.10008.1.2.1.99\0\0"
    meta = _element(2, 0x10, b"UI", syntax[: len(syntax) - len(syntax) % 2])
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = squeezer.compress(_element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0"))
    for _ in range(700):
        body += squeezer.compress(bytes(1 << 20))
    return bytes(128) + b"DICM" + _element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta + body + squeezer.flush()


def _jpeg_bomb() -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(PAYLOAD))
    frame = b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xd9\x00"
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    dataset.PixelData = pydicom.encaps.encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return written(dataset)


HOSTILE = {
    "empty": lambda: b"",
    "not DICOM with a .dcm name": lambda: Path(__file__).read_bytes(),
    "truncated in the header": lambda: PAYLOAD[: HEADER // 2],
    "truncated in the pixels": lambda: PAYLOAD[:-1000],
    "an element longer than the file": lambda: PAYLOAD[:HEADER] + b"\x08\0\x30\x10LO\0\0\xff\xff\xff\x7f",
    "10,000 sequences deep": _deep,
    "a deflate bomb": _deflated_bomb,
    "a JPEG bomb": _jpeg_bomb,
    "a PDF before the object": lambda: (b"%PDF-1.4 " + PLANTS[0].encode()).ljust(128, b" ") + PAYLOAD[128:],
    "bytes behind the object": lambda: PAYLOAD + PLANTS[0].encode() * 50,
    "without its header": lambda: PAYLOAD[PAYLOAD.index(b"\x08\0\x05\0CS") :],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_dealt_with_in_bounded_time(name: str) -> None:
    payload = HOSTILE[name]()
    began = time.monotonic()
    outcome = tried(payload)
    assert time.monotonic() - began < 30
    for plant in PLANTS:
        assert outcome is None or plant.encode() not in (outcome.payload or b"")
