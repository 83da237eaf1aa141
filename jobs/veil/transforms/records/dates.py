"""Dates as records write them: ISO 8601, complete or partial, with or without a time of day."""

from __future__ import annotations

import re
from datetime import date, timedelta

_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)((?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(?:Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1800, 2199

OLDEST_AGE = 90
"""Ages from here on are one group, in years (45 CFR 164.514(b)(2)(i)(C))."""


def year_of(value: object) -> int | None:
    """Return the year of an ISO 8601 date; None for anything that is not one, or not of these centuries."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    year = int(found.group(1))
    return year if _FIRST_YEAR <= year <= _LAST_YEAR else None


def shifted(value: str, days: int) -> str | None:
    """Move a date, keeping its precision, its time of day and its zone.

    Parameters
    ----------
    value
        ISO 8601 date, complete or partial. A month is moved from its 15th day, a year from the 1st of July, so that
        partial dates move as far as complete ones do on average.
    days
        The subject's offset, in days.

    Returns
    -------
    str or None
        The moved date; None where the value is no date, or the result would lie outside the calendar.
    """
    found = _ISO.fullmatch(value)
    if found is None or year_of(value) is None:
        return None
    year, month, day, time = found.groups()
    try:
        moved = date(int(year), int(month or 7), int(day or (15 if month else 1))) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    text = moved.isoformat()
    if day:
        return text + (time or "")
    return text[:7] if month else text[:4]


def is_over_89(birth_year: int, death_year: int | None, reference_year: int) -> bool:
    """Whether somebody may have reached 90 by the end of the reference year, or did before death.

    A death before birth is an error of the record and is not believed.
    """
    last = reference_year if death_year is None or death_year < birth_year else min(death_year, reference_year)
    return last - birth_year >= OLDEST_AGE
