"""Dates as people and machines write them: what is finer than a year, and which day a full date means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:1[89]|20)\d\d"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_TH = r"(?:st|nd|rd|th)?"
_GAP = r"[ .,/-]{1,3}"
_NO_DOSE = r"(?! ?(?:[.,]\d|[%/x-]|mg|mcg|ml|cm|mm|units?|tabs?|tablets?|times|weeks?|days?|months?|years?)\b)"

_DIGIT = re.compile(r"\d")
_ISO = re.compile(rf"(?<![\d./-])({_YEAR})([-/.])(0?[1-9]|1[0-2])\2({_DAY})(?!\d|[./-]\d)")
_NUMERIC = re.compile(rf"(?<![\d./-])(\d{{1,2}})([-/.])(\d{{1,2}})\2({_YEAR}|(?<=/)\d\d)(?!\d|[./-]\d)")
_MONTH_FIRST = re.compile(
    rf"\b({_MONTH}){_GAP}({_DAY}){_TH}{_GAP}({_YEAR}|'?\d\d\b(?! ?(?:mg|ml|units?|%)))", re.IGNORECASE
)
_DAY_FIRST = re.compile(
    rf"(?<![\d.])({_DAY}){_TH}(?: of |[ .,/-]{{0,3}})({_MONTH}){_GAP}({_YEAR}|'?\d\d\b)", re.IGNORECASE
)
_COMPACT = re.compile(r"(?<![\w.])((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\w.])")

_PARTIAL = (
    re.compile(rf"(?<![\d./-])(?:{_YEAR}-(?:0[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])/{_YEAR})(?!\d|[./-]\d)"),
    re.compile(rf"\b{_MONTH}\.?,?(?: of)?[ -]{_YEAR}\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\.? (?:the )?{_DAY}(?:st|nd|rd|th)\b", re.IGNORECASE),
    re.compile(rf"\b{_DAY}(?:st|nd|rd|th)(?: of)? {_MONTH}\b", re.IGNORECASE),
    # "may 2" and "march 3" are also a verb and a number: without year or ordinal only the other months count
    re.compile(rf"\b(?!may|mar|dec\b){_MONTH}\.? {_DAY}\b{_NO_DOSE}", re.IGNORECASE),
    re.compile(rf"(?<![\d.-])\b{_DAY}[ -](?!may|mar\b|dec\b){_MONTH}\b", re.IGNORECASE),
    # a bare 3/15 is a date after a word that asks for one, unless it can be a score such as 4/5 or 8/10
    re.compile(
        r"\b(?:on|since|dated?|admitted|discharged|DOS|DOB):? (?:0?[1-9]|1[0-2])/(?!0?[456]\b|10\b)"
        rf"{_DAY}(?![\d/]|\.\d| ?%)",
        re.IGNORECASE,
    ),
)


def full(text: str) -> Iterator[str]:
    """Days that full dates in a text may mean.

    Parameters
    ----------
    text
        Any text.

    Yields
    ------
    str
        ``yyyymmdd``; both readings of 3/4/1962, and both centuries of a two-digit year.
    """
    for match in _ISO.finditer(text):
        yield from _days(match[1], match[3], match[4])
    for match in _NUMERIC.finditer(text):
        yield from _days(match[4], match[1], match[3])
        yield from _days(match[4], match[3], match[1])
    for match in _MONTH_FIRST.finditer(text):
        yield from _days(match[3], match[1], match[2])
    for match in _DAY_FIRST.finditer(text):
        yield from _days(match[3], match[2], match[1])
    for match in _COMPACT.finditer(text):
        yield from _days(match[1], match[2], match[3])


def finer_than_year(text: str) -> bool:
    """Whether a text holds a date with a month or a day (45 CFR 164.514(b)(2)(i)(C))."""
    if not _DIGIT.search(text):
        return False
    written = _COMPACT.sub(" ", text)  # bare digits may be a code: they are reported apart
    return next(full(written), None) is not None or any(pattern.search(written) for pattern in _PARTIAL)


def compact(text: str) -> bool:
    """Whether a text holds eight bare digits that read as a day."""
    return any(next(_days(match[1], match[2], match[3]), None) for match in _COMPACT.finditer(text))


def _days(year: str, month: str, day: str) -> Iterator[str]:
    number = int(month) if month.isdigit() else 1 + _NAMES.index(month[:3].lower())
    year = year.lstrip("'")
    for written in (year,) if len(year) == 4 else (f"19{year}", f"20{year}"):
        try:
            yield f"{date(int(written), number, int(day)):%Y%m%d}"
        except ValueError:
            continue
