"""Single values of attributes: dates, ages, codes, numbers, UIDs (PS3.5, 6.2)."""

from __future__ import annotations

import hmac
import re
from datetime import date, timedelta
from typing import Any

from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from veil.contracts import Profile

_DATE = re.compile(r"(\d{4})[.:]?(\d\d)[.:]?(\d\d)", re.ASCII)
_DATETIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?((?:\d\d){0,3}(?:\.\d{1,6})?)([+-]\d{4})?", re.ASCII)
_TIME = re.compile(r"\d\d(?::?\d\d(?::?\d\d(?:\.\d{1,6})?)?)?", re.ASCII)
_AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)
_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
_DECIMAL = re.compile(r" *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *", re.ASCII)
_INTEGER = re.compile(r" *[+-]?\d{1,12} *", re.ASCII)
_MIDNIGHT = "000000"
_FIRST_YEAR, _LAST_YEAR = 1800, 2199
_OLDEST_AGE = 90
"""Years (45 CFR 164.514(b)(2)(i)(C)); in the other units three digits do not reach it."""
FREE_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
"""Value representations that are text in the object's character set."""

LONGEST = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10_240}
"""Characters of a free text that fit (PS3.5, 6.2); the others have no limit that matters."""


def many(value: object) -> list[Any]:
    """Give the values of an element, which pydicom gives as a list where there are several."""
    return list(value) if isinstance(value, list | tuple | MultiValue) else [value]


def texts(dataset: Dataset, tag: BaseTag, vr: str) -> list[str]:
    """Give the values of an element of strings; those that are ASCII are not converted to numbers and back."""
    raw = dataset.get_item(tag).value
    if isinstance(raw, bytes) and vr not in FREE_TEXT:
        return raw.decode("ascii").rstrip("\0 ").split("\\")
    value = dataset[tag].value
    return [""] if value is None else [str(one) for one in many(value)]


def new_uid(value: str, key: bytes) -> str:
    """Make a UID under ``2.25`` (PS3.5, B.2) from 128 bits that only the holder of the subject's key can make again.

    Those of the standard itself (PS3.6, A: classes, transfer syntaxes, coding schemes) stay.
    """
    if value in UID_dictionary:
        return value
    digest = hmac.digest(key, value.encode("utf-8", "replace"), "sha256")
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def moved_date(value: str, profile: Profile, days: int) -> str:
    """Move a DA by the subject's offset, or leave its year alone, written as the 1st of January; "" for no date."""
    found = _DATE.fullmatch(value.strip())
    day = _date(*found.groups()) if found else None
    if day is None:
        return ""
    return f"{day.year:04}0101" if profile == "safe_harbor" else _moved(day, days)


def moved_datetime(value: str, profile: Profile, days: int) -> str:
    """Move a DT like a DA; under `safe_harbor` only the year is left, which a DT may be."""
    found = _DATETIME.fullmatch(value.strip())
    day = _date(found[1], found[2] or "07", found[3] or ("15" if found[2] else "01")) if found else None
    if found is None or day is None:
        return ""
    if profile == "safe_harbor":
        return f"{day.year:04}"
    moved = _moved(day, days)
    if not moved or not found[2]:
        return moved[:4]
    return moved[:6] if not found[3] else f"{moved}{found[4]}{found[5] or ''}"


def kept_time(value: str, profile: Profile) -> str:
    """Keep a TM under `expert`; under `safe_harbor` it is midnight: time is part of the date that goes."""
    if not _TIME.fullmatch(value.strip()):
        return ""
    return value.strip() if profile == "expert" else _MIDNIGHT


def capped_age(value: str) -> str:
    """Cap an AS at 90 years; "" for none."""
    found = _AGE.fullmatch(value.strip())
    if found is None:
        return ""
    return "090Y" if found[2] == "Y" and int(found[1]) >= _OLDEST_AGE else found[0]


def is_code(value: str) -> bool:
    """Whether it is a CS as the standard writes them."""
    return _CODE.fullmatch(value) is not None


def is_number(value: str, vr: str) -> bool:
    """Whether it is a DS or an IS."""
    return not value.strip() or (_DECIMAL if vr == "DS" else _INTEGER).fullmatch(value) is not None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def _moved(day: date, days: int) -> str:
    try:
        return f"{day + timedelta(days=days):%Y%m%d}"
    except OverflowError:
        return ""
