"""Numbers that are ages: those over 89 are one group (45 CFR 164.514(b)(2)(i)(C))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from veil.transforms.records.dates import OLDEST_AGE

_AGES = frozenset(
    ("30525-0", "21611-9", "21612-7", "29553-5", "35659-2", "39016-1", "63900-5", "397669002", "424144002")
)
"""Codes of ages: LOINC's "Age" and its kin, SNOMED CT's "age" and "current chronological age"."""

_PER_YEAR = {
    **dict.fromkeys(("a", "a_j", "a_g", "a_t", "y", "yr", "yrs", "year", "years", "yo", "jahr", "jahre", "años"), 1.0),
    **dict.fromkeys(("mo", "mos", "mo_j", "mo_g", "mo_s", "month", "months"), 12.0),
    **dict.fromkeys(("wk", "wks", "week", "weeks"), 52.18),
    **dict.fromkeys(("d", "day", "days"), 365.25),
    **dict.fromkeys(("decade", "decades"), 0.1),
}


def capped(value: float, units: Iterable[object], *, is_age: bool) -> float:
    """Cap a number at 90 years.

    Parameters
    ----------
    value
        The number.
    units
        What its record gives as its unit, in each place that can: a hostile one may hide it in one of them.
    is_age
        Whether it is an age, in years, though no unit says so.
    """
    written = [_unit(unit) for unit in units if isinstance(unit, str)]
    known = [per_year for per_year in written if per_year is not None]
    for per_year in known or ([1.0] if is_age else []):
        if value >= OLDEST_AGE * per_year:
            return int(OLDEST_AGE * per_year)
    return value


@lru_cache(maxsize=1024)
def _unit(written: str) -> float | None:
    """How many of a unit are a year: UCUM's codes, and the words that people write, "year(s)" or "years of age"."""
    unit = written.strip(" {}[]()").casefold()
    if unit in _PER_YEAR:
        return _PER_YEAR[unit]
    word = re.match(r"[^\W\d_]+", unit)
    return _PER_YEAR.get(word[0]) if word else None


def is_of_age(resource: Mapping[str, Any]) -> bool:
    """Whether an observation is of an age, itself or in a component, which its numbers alone do not say."""
    parts = [resource, *(part for part in _list(resource.get("component")) if isinstance(part, dict))]
    codes = [part["code"] for part in parts if isinstance(part.get("code"), dict)]
    return any(
        isinstance(coding, dict) and coding.get("code") in _AGES
        for code in codes
        for coding in _list(code.get("coding"))
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
