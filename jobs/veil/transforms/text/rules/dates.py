"""Dates in every form that people write: 164.514(b)(2)(i)(C). A year alone is not an identifier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from veil.contracts import Span

from .date_forms import WRITTEN
from .vague_dates import AMBIGUOUS, SCORE, VAGUE

_MONTHS_OF_YEARS = frozenset({"month_year", "number_year", "iso_month"})
_FRACTIONS = frozenset({"partial", "partial_time", "partial_context"})
_LEAD = 40
_LAST_MONTH = 12
_LATEST_SHORT = 27

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date with month and year, and mostly a day, and where in its text each of them is written."""

    day: date = field(repr=False)
    fields: dict[str, tuple[int, int]]
    text: str = field(repr=False)

    def shifted(self, days: int) -> str:
        """Render the date moved by a number of days in the form it was written in.

        Raises
        ------
        OverflowError
            The moved date lies outside of the calendar.
        """
        moved = self.day + timedelta(days=days)
        result = self.text
        for name, (start, end) in sorted(self.fields.items(), key=lambda item: -item[1][0]):
            result = result[:start] + _render(name, self.text[start:end], moved, self._padded()) + result[end:]
        return result

    def _padded(self) -> bool:
        """Tell whether one-digit days and months are written with a zero."""
        numbers = [self.text[slice(*self.fields[name])] for name in ("m", "d") if name in self.fields]
        if "d" not in self.fields:
            return any(number.startswith("0") for number in numbers)
        first = min(self.fields, key=lambda name: self.fields[name][0])
        day_end = self.fields["d"][1]
        return (
            any(number.startswith("0") for number in numbers)
            or first == "y"
            or (
                "mon" in self.fields
                and first == "d"
                and self.text[day_end : day_end + 1] in "-" + self.text[self.fields["mon"][0]]
            )
        )


def find(text: str) -> Iterator[Span]:
    """Yield the dates of a folded text, complete ones first; spans may overlap.

    Day and month alone may as well be a fraction. Where a text writes other dates with a slash, they are a date unless
    a score stands beside them.
    """
    slashed = False
    for name, pattern in WRITTEN:
        for match in pattern.finditer(text):
            if _date(match) is not None:
                slashed = slashed or "/" in match[0]
                yield Span(match.start(), match.end(), "DATE", "rules", name)
    for name, pattern in VAGUE:
        group = "id" if "id" in pattern.groupindex else 0
        for match in pattern.finditer(text):
            if name in _FRACTIONS:
                if _is_score(text, match.start(group)):
                    continue
                slashed = True
            yield Span(match.start(group), match.end(group), "DATE", "rules", name)
    for match in AMBIGUOUS.finditer(text) if slashed else ():
        if match["m"] != match["d"] and not _is_score(text, match.start()):
            yield Span(match.start(), match.end(), "DATE", "rules", "partial_beside_others")


def _is_score(text: str, start: int) -> bool:
    return bool(SCORE.search(text[max(0, start - _LEAD) : start]))


def order(text: str) -> str | None:
    """Tell whether a date in numbers begins with its day, "d", or its month, "m"; None where both can be."""
    found = re.match(r"\D{0,12}(\d{1,2})[/. -]{1,3}(\d{1,2})[/. -]{1,3}\d", text)
    if found is None or (int(found[1]) > _LAST_MONTH) == (int(found[2]) > _LAST_MONTH):
        return None
    return "d" if int(found[1]) > _LAST_MONTH else "m"


def parse(text: str, *, day_first: bool = False) -> WrittenDate | None:
    """Read a text that is one complete date; None when it has no year, month or day.

    Of numbers that can be read either way the first is the month, or with `day_first` the day.
    """
    forms = WRITTEN if not day_first else sorted(WRITTEN, key=lambda form: form[0] != "day_first")
    for _, pattern in forms:
        match = pattern.fullmatch(text)
        if match and (day := _date(match)) is not None:
            spans = {name: match.span(name) for name in match.groupdict() if name != "sep" and match.start(name) >= 0}
            return WrittenDate(day, spans, text)
    return None


def parse_month(text: str) -> WrittenDate | None:
    """Read a text that is one month of a year, as its middle; None for any other."""
    for name, pattern, *_ in VAGUE:
        match = pattern.fullmatch(text) if name in _MONTHS_OF_YEARS else None
        if match is not None and (day := _date(match, 15)) is not None:
            spans = {part: match.span(part) for part in match.groupdict()}
            return WrittenDate(day, spans, text)
    return None


def year(text: str) -> int | None:
    """Read the year of a date that has one, complete or not."""
    if (written := parse(text)) is not None:
        return written.day.year
    found = re.search(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)", text)
    if found:
        return int(found[0])
    short = re.search(r"'(\d\d)(?!\d)", text)
    return _century(int(short[1])) if short else None


def _century(short: int) -> int:
    """Read a year of two digits: what is not past yet, as a year of birth, would tell the age that it hides."""
    return short + (2000 if short <= _LATEST_SHORT else 1900)


def _date(match: re.Match[str], day: int | None = None) -> date | None:
    groups = match.groupdict()
    number = groups["y"].lstrip("'")
    full = int(number) if len(number) == 4 else _century(int(number))
    month = _month_number(groups["mon"]) if groups.get("mon") else int(groups["m"])
    try:
        return date(full, month, day or int(groups["d"]))
    except ValueError:
        return None


def _month_number(name: str) -> int:
    return next(index for index, full in enumerate(_MONTHS, 1) if full.startswith(name.lower()[:3]))


def _render(name: str, old: str, moved: date, padded: bool) -> str:
    match name:
        case "y":
            return f"{moved.year:04d}" if len(old) == 4 else old[:-2] + f"{moved.year % 100:02d}"
        case "m" | "d":
            number = moved.month if name == "m" else moved.day
            return f"{number:02d}" if padded else str(number)
        case "suffix":
            return _cased(_ordinal(moved.day), old)
        case "wd":
            return _cased(_name(_DAYS[moved.weekday()], old), old)
        case _:
            return _cased(_name(_MONTHS[moved.month - 1], old), old)


def _name(full: str, old: str) -> str:
    return (
        full
        if old.lower() in (*_MONTHS, *_DAYS) and old.lower() != "may"
        else full[:3] + ("." if old.endswith(".") else "")
    )


def _cased(word: str, old: str) -> str:
    if old.isupper():
        return word.upper()
    return word.capitalize() if old[:1].isupper() else word


def _ordinal(day: int) -> str:
    return "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
