from __future__ import annotations

import pytest

from veil.readers import formats
from veil.readers.sniff import matches, sniff

RECOGNISERS = [
    ("tabular", formats.tabular_format),
    ("text", formats.text_format),
    ("photo", formats.photo_format),
    ("dicom", formats.dicom_format),
    ("audio", formats.audio_format),
    ("video", formats.video_format),
    ("location", formats.location_format),
]
_DICOM = b"\x00" * 128 + b"DICM\x02\x00"
_FILES = [
    ("fhir/Patient.ndjson", b'{"resourceType":"Patient"}', ("tabular", "fhir-ndjson")),
    ("fhir/Empty.ndjson", b"", ("tabular", "fhir-ndjson")),
    ("deleted/a.ndjson", b'{"resourceType":"Bundle"}', ("tabular", "fhir-deleted")),
    ("b.json", b'\xef\xbb\xbf{\n "resourceType" : "Bundle"', ("tabular", "fhir-bundle")),
    ("CSV/PATIENTS.CSV", b"Id,Name\n", ("tabular", "csv")),
    ("pain.columns.toml", b'table = "pain"', ("tabular", "role-file")),
    ("notes/a.txt", "Fieber seit März".encode("latin-1"), ("text", "plain")),
    ("a.bin", b"\xff\xd8\xff\xe0", ("photo", "jpeg")),
    ("a.jpg", b"\x89PNG\r\n\x1a\n", ("photo", "png")),
    ("a.webp", b"RIFF\x00\x00\x00\x00WEBP", ("photo", "webp")),
    ("a.tif", b"II*\x00", ("photo", "tiff")),
    ("IM0001", _DICOM, ("dicom", "dicom")),
    ("a.tif", b"II*\x00" + _DICOM[4:], ("dicom", "dicom")),
    ("a.dcm", b"\x08\x00\x05\x00", ("dicom", "dicom")),
    ("a.ZIP", b"PK\x03\x04\x14\x00", ("dicom", "dicom-zip")),
    ("a.wav", b"RIFF\x00\x00\x00\x00WAVE", ("audio", "wav")),
    ("a.flac", b"fLaC", ("audio", "flac")),
    ("a.mp3", b"\xff\xfb\x90\x00", ("audio", "mp3")),
    ("a.ogg", b"OggS\x00", ("audio", "ogg")),
    ("a.m4a", b"\x00\x00\x00\x20ftypM4A ", ("audio", "m4a")),
    ("a.mp4", b"\x00\x00\x00\x20ftypisom", ("video", "mp4")),
    ("a.mov", b"\x00\x00\x00\x14ftypqt  ", ("video", "mov")),
    ("a.mkv", b"\x1aE\xdf\xa3\x01matroska", ("video", "mkv")),
    ("a.webm", b"\x1aE\xdf\xa3\x01webm", ("video", "webm")),
    ("a.avi", b"RIFF\x00\x00\x00\x00AVI ", ("video", "avi")),
    ("a.gpx", b'<?xml version="1.0"?><gpx version="1.1">', ("location", "gpx")),
    ("a.tcx", b"<TrainingCenterDatabase>", ("location", "tcx")),
    ("a.fit", b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT", ("location", "fit")),
    ("a.geojson", b'{"type": "FeatureCollection"', ("location", "geojson")),
]


@pytest.mark.parametrize(("name", "head", "expected"), _FILES)
def test_a_file_is_what_its_bytes_say(name: str, head: bytes, expected: tuple[str, str]) -> None:
    assert sniff(name, head, RECOGNISERS) == expected
    assert matches(expected[1], head)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.csv", b"PK\x03\x04\x00\x00"),
        ("a.txt", b"\xff\xfeH\x00i\x00"),
        ("a.txt.gz", b"\x1f\x8b\x08\x00"),
        ("a.dcm", b"plain words"),
        ("a.json", b'{"resource": 1}'),
        ("a.heic", b"\x00\x00\x00\x18ftypheic"),
        ("a.jpg", b"GIF89a"),
        ("a.doc", b"\xd0\xcf\x11\xe0"),
    ],
)
def test_what_no_modality_reads_is_unknown(name: str, head: bytes) -> None:
    assert sniff(name, head, RECOGNISERS) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("claimed", "head"),
    [
        ("csv", b"\xff\xd8\xff\xe0"),
        ("jpeg", b"MZ\x90"),
        ("plain", _DICOM),
        ("fhir-ndjson", b"a,b\n"),
        ("nonsense", b"x"),
    ],
)
def test_a_file_that_is_not_what_it_claims(claimed: str, head: bytes) -> None:
    assert not matches(claimed, head)
