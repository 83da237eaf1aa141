"""What still identifies somebody in a published DICOM object: by its bytes, by patterns of text, by another OCR.

The anonymizer reads with pydicom and finds text with PP-OCRv6; this module walks the file itself and reads pixels with
PP-OCRv4. The names of attributes come from pydicom's dictionary, which is data of the standard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from veil.contracts import Profile
from veil.detect import text
from veil.detect._dicom import Broken, Element, walk
from veil.detect._dicom_pixels import burned_in
from veil.detect.tokens import tokens

RULES: dict[str, str] = {
    "unreadable": "bytes that are no DICOM file",
    "preamble": "something in the 128 bytes before the file",
    "file-meta": "file meta information that only the sender needs",
    "private": "private element that is no number",
    "unknown-attribute": "attribute that the standard does not know",
    "graphics": "overlay or curve, which can draw a name",
    "document": "a document or another file within the object",
    "person-name": "name of a person",
    "patient-id": "patient ID that is no pseudonym",
    "uid": "UID that is neither of the standard nor made anew",
    "date": "date finer than a year",
    "birth-date": "date of birth",
    "age": "age over 89",
    "place": "address, telephone number or institution",
    "device": "serial number or other identity of a device",
    "unmarked": "object that does not say that it has been anonymized",
    "text": "identifier in a free text",
    "burned-in": "text in the pixels",
}

_META = frozenset(range(0x00020000, 0x00020004)) | {0x00020010, 0x00020012, 0x00020013}
_PSEUDONYM = re.compile(rb"[0-9a-f]{32}")
_NEW_UID = re.compile(rb"2\.25\.\d{1,39}")
_YEAR_ONLY = re.compile(rb"(?:\d{4}(?:0101)?)?")
_AGE = re.compile(rb"(?:0[0-8]\d|090)Y|\d{3}[DWM]|")
_DUMMY = b"REMOVED"
_LETTERS = re.compile(rb"[A-Za-z]{3}")
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "DS", "IS"})
_TEXTS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_DOCUMENTS = frozenset({0x00420011, 0x00420010, 0x00880200, 0x04000561, 0xFFFCFFFC, 0x04000550})
"""Encapsulated document and its title, icon, attributes as they were, trailing padding."""
_PLACES = frozenset({0x00080080, 0x00080081, 0x00081040, 0x00101040, 0x00102154, 0x00080092, 0x00080094, 0x00400241})
_IDENTITY_REMOVED = 0x00120062
_BIRTH = frozenset({0x00100030, 0x00100032})
_CODES = frozenset({0x00080070, 0x00080100, 0x00081090, 0x00120063, 0x00181020})
"""Codes of terminologies, the make of a device and its software, and how the object was anonymized."""
_DEVICES = frozenset({0x00181000, 0x00081010, 0x00181002, 0x00181004, 0x00181005, 0x00181007, 0x00181008})
_RUN = re.compile(rb"[\x20-\x7e\x80-\xff]{6,}")
_WIDE_RUN = re.compile(rb"(?:[\x20-\x7e]\0){6,}|(?:\0[\x20-\x7e]){6,}")
_PIXELS = 0x7FE00010
_PIXEL_RUN = re.compile(rb"[\x20-\x7e]{10,}")
_WIDE_PIXEL_RUN = re.compile(rb"(?:[\x20-\x7e]\0){10,}|(?:\0[\x20-\x7e]){10,}")
"""Pixels are full of short runs of letters by chance."""


def leaks(payload: bytes, *, profile: Profile) -> list[str]:
    """Name the rules that still see something identifying in an object as it is to be published.

    Returns
    -------
    list of str
        Keys of `RULES`, sorted; empty for a clean object.
    """
    try:
        elements = list(walk(payload))
    except Broken:
        return ["unreadable"]
    found = {rule for element in elements for rule, breaks in _CHECKS.items() if breaks(element, profile)}
    if any(payload[:128]):
        found.add("preamble")
    marks = [element.value.strip() for element in elements if element.tag == _IDENTITY_REMOVED]
    if marks[-1:] != [b"YES"]:
        found.add("unmarked")
    if "document" not in found and burned_in(payload):
        found.add("burned-in")
    return sorted(found)


def search_tokens(payload: bytes) -> Iterator[str]:
    """Give what is compared with known identifiers: all values as text, and every run of letters in the bytes."""
    try:
        elements = list(walk(payload))
    except Broken:
        elements = []
    for element in elements:
        for pattern in (_PIXEL_RUN, _WIDE_PIXEL_RUN) if element.tag == _PIXELS else (_RUN, _WIDE_RUN):
            for run in pattern.finditer(element.value):
                narrow = run.group().replace(b"\0", b"")
                yield from tokens(_decoded(narrow).replace("^", " ").replace("=", " "))


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@lru_cache(maxsize=4096)
def _known(tag: int) -> str | None:
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    return dictionary_VR(tag).split(" ")[0] if dictionary_has_tag(tag) else None


def _kind(element: Element) -> str:
    """The value representation that the file gives, or else the standard."""
    return element.vr or (_known(element.tag) or "UN")


def _private(element: Element, _profile: Profile) -> bool:
    if not element.group % 2:
        return False
    if element.vr == "":
        # three letters in a row stand in doubles by chance
        is_creator = 0x10 <= element.tag & 0xFFFF <= 0xFF
        return not is_creator and len(element.value) % 8 != 0 and _LETTERS.search(element.value) is not None
    return element.vr not in _NUMBERS and not (element.vr == "LO" and 0x10 <= element.tag & 0xFFFF <= 0xFF)


def _unknown(element: Element, _profile: Profile) -> bool:
    return not element.group % 2 and _known(element.tag) is None


def _name(element: Element, _profile: Profile) -> bool:
    if _kind(element) != "PN" and _known(element.tag) != "PN":
        return False
    value = element.value.strip(b"\0 ")
    return bool(value) and value != _DUMMY and not (element.tag == 0x00100010 and _PSEUDONYM.fullmatch(value))


def _patient_id(element: Element, _profile: Profile) -> bool:
    return element.tag == 0x00100020 and not _PSEUDONYM.fullmatch(element.value.strip(b"\0 "))


def _uid(element: Element, profile: Profile) -> bool:
    if _kind(element) != "UI" or (profile == "expert" and element.tag in (0x00181002, 0x0018100B)):
        return False
    values = element.value.strip(b"\0 ").split(b"\\")
    return any(value and not _NEW_UID.fullmatch(value) and not _is_standard(value) for value in values)


@lru_cache(maxsize=4096)
def _is_standard(uid: bytes) -> bool:
    from pydicom._uid_dict import UID_dictionary

    return uid.decode("latin-1") in UID_dictionary


def _date(element: Element, profile: Profile) -> bool:
    if profile == "expert" or element.tag in _BIRTH or _kind(element) not in {"DA", "DT", "TM"}:
        return False
    values = element.value.strip(b"\0 ").split(b"\\")
    if _kind(element) == "TM":
        return any(value.strip(b"0") for value in values)
    return any(not _YEAR_ONLY.fullmatch(value) for value in values)


def _free_text(element: Element, profile: Profile) -> bool:
    if _kind(element) not in _TEXTS or element.tag in _CODES or (profile == "expert" and element.tag in _DEVICES):
        return False
    value = _decoded(element.value).strip("\0 ")
    return any(text.RULES[rule].severity == "critical" for rule in text.leaks(value, profile=profile))


def _filled(tags: frozenset[int], profiles: tuple[Profile, ...]) -> Callable[[Element, Profile], bool]:
    def breaks(element: Element, profile: Profile) -> bool:
        return profile in profiles and element.tag in tags and element.value.strip(b"\0 ") not in {b"", _DUMMY}

    return breaks


_BOTH: tuple[Profile, ...] = ("safe_harbor", "expert")
_CHECKS: dict[str, Callable[[Element, Profile], bool]] = {
    "file-meta": lambda element, _: element.group == 2 and element.tag not in _META,
    "private": _private,
    "unknown-attribute": _unknown,
    "graphics": lambda element, _: element.group >> 8 in (0x50, 0x60),
    "document": lambda element, _: element.tag in _DOCUMENTS,
    "person-name": _name,
    "patient-id": _patient_id,
    "uid": _uid,
    "date": _date,
    "birth-date": _filled(_BIRTH, _BOTH),
    "age": lambda element, _: element.tag == 0x00101010 and not _AGE.fullmatch(element.value.strip(b"\0 ")),
    "place": _filled(_PLACES, _BOTH),
    "device": _filled(_DEVICES, ("safe_harbor",)),
    "text": _free_text,
}
