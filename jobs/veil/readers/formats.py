"""What a file is, by its first bytes and only then by its name: one function for each modality."""

from __future__ import annotations

import re

HEAD = 4096
"""How many of a file's first bytes a recogniser is given."""

_PREFIXES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
)
_RIFF = {b"WAVE": "wav", b"WEBP": "webp", b"AVI ": "avi"}
_OTHER_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
"""Still images in the container of MPEG-4; no modality reads them."""
_PHOTOS = frozenset({"jpeg", "png", "tiff", "webp"})
_AUDIO = frozenset({"wav", "flac", "mp3", "ogg", "m4a"})
_VIDEO = frozenset({"mp4", "mov", "mkv", "webm", "avi"})
_DICOM_SUFFIXES = (".dcm", ".dicom")
_DICOM_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
"""The first group of a data set without the file header of PS3.10, in either byte order."""
_ZIP = b"PK\x03\x04"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BUNDLE = re.compile(rb'"resourceType"\s*:\s*"Bundle"')
_RESOURCE = re.compile(rb'"resourceType"\s*:')
_FEATURE = re.compile(rb'"type"\s*:\s*"Feature(Collection)?"')
_GPX = re.compile(rb"<(\w+:)?gpx[\s>]")
_TCX = re.compile(rb"<(\w+:)?TrainingCenterDatabase[\s>]")
_BOM = b"\xef\xbb\xbf"


def signature(head: bytes) -> str | None:
    """Name the binary format that the first bytes prove, if any.

    DICOM comes first: its preamble is free (PS3.10, 7.1) and may hold the signature of any other format.
    """
    if head[128:132] == b"DICM":
        return "dicom"
    for prefix, found in _PREFIXES:
        if head.startswith(prefix):
            return found
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _mpeg4(head[8:12])
    if head[4:8] in (b"moov", b"mdat", b"wide"):
        return "mov"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "mkv"
    if head.startswith(b"OggS"):
        return None if b"theora" in head[:512] else "ogg"
    if head[8:12] == b".FIT":
        return "fit"
    return "mp3" if _mpeg_frame(head) else None


def is_text(head: bytes) -> bool:
    """Whether the first bytes may be text in UTF-8 or an eight-bit code page."""
    return signature(head) is None and _CONTROL.search(head) is None


def tabular_format(name: str, head: bytes) -> str | None:
    """Recognise records: FHIR resources, CSV tables, and the role files that explain the tables."""
    if not is_text(head):
        return None
    name = name.casefold()
    if name.endswith(".columns.toml"):
        return "role-file"
    if name.endswith(".csv"):
        return "csv"
    start = head.removeprefix(_BOM).lstrip()
    if name.endswith((".ndjson", ".jsonl")):
        if start[:1] not in (b"{", b""):
            return None
        deleted = "deleted" in name.split("/")[:-1]
        return "fhir-deleted" if deleted and (not start or _BUNDLE.search(head)) else "fhir-ndjson"
    is_json = name.endswith(".json") or "." not in name.rsplit("/", 1)[-1]
    return "fhir-bundle" if is_json and start[:1] == b"{" and _RESOURCE.search(head) else None


def text_format(name: str, head: bytes) -> str | None:
    """Recognise a free-standing note."""
    return "plain" if name.casefold().endswith((".txt", ".text")) and is_text(head) else None


def photo_format(name: str, head: bytes) -> str | None:
    """Recognise a photograph."""
    found = signature(head)
    return found if found in _PHOTOS else None


def dicom_format(name: str, head: bytes) -> str | None:
    """Recognise DICOM, with the header of PS3.10 or, by its suffix and first group, without; or an archive of it."""
    if head.startswith(_ZIP) and name.casefold().endswith(".zip"):
        return "dicom-zip"
    found = signature(head)
    bare = found is None and name.casefold().endswith(_DICOM_SUFFIXES) and head[:2] in _DICOM_GROUPS
    return "dicom" if found == "dicom" or bare else None


def audio_format(name: str, head: bytes) -> str | None:
    """Recognise a sound recording."""
    found = signature(head)
    return found if found in _AUDIO else None


def video_format(name: str, head: bytes) -> str | None:
    """Recognise a video recording."""
    found = signature(head)
    return found if found in _VIDEO else None


def location_format(name: str, head: bytes) -> str | None:
    """Recognise a track of positions."""
    if signature(head) == "fit":
        return "fit"
    if not is_text(head):
        return None
    if _GPX.search(head):
        return "gpx"
    if _TCX.search(head):
        return "tcx"
    return "geojson" if name.casefold().endswith(".geojson") and _FEATURE.search(head) else None


def _mpeg4(brand: bytes) -> str | None:
    if brand in _OTHER_BRANDS:
        return None
    if brand in (b"M4A ", b"M4B "):
        return "m4a"
    return "mov" if brand == b"qt  " else "mp4"


def _mpeg_frame(head: bytes) -> bool:
    """Whether an MPEG layer III frame begins here (ISO/IEC 11172-3, 2.4.1.3), with valid rates."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] & 0x18 == 0x08:
        return False
    return head[1] & 0x06 == 0x02 and head[2] & 0xF0 not in (0x00, 0xF0) and head[2] & 0x0C != 0x0C
