"""Periods as keys and as windows, as text that sorts by time.

A form is ``day``, ``week`` (of ISO 8601), ``month``, ``quarter`` or ``year``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_PATTERNS: dict[str, re.Pattern[str]] = {
    "day": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "week": re.compile(r"\d{4}-W\d{2}"),
    "month": re.compile(r"\d{4}-\d{2}"),
    "quarter": re.compile(r"\d{4}-Q[1-4]"),
    "year": re.compile(r"\d{4}"),
}
FORMS = tuple(_PATTERNS)
_EXAMPLES = {"day": "2026-01-31", "week": "2026-W05", "month": "2026-01", "quarter": "2026-Q1", "year": "2026"}


def form_of(text: str) -> str:
    """Tell the form that a period is written in.

    Raises
    ------
    ValueError
        It is written in none.
    """
    for form, pattern in _PATTERNS.items():
        if pattern.fullmatch(text):
            return form
    raise ValueError(f"a period is written like {', '.join(_EXAMPLES.values())}")


def first_day(form: str, text: str) -> date:
    """Give the first day of a period.

    Raises
    ------
    ValueError
        The text is no period of this form; the message says how one is written.
    """
    try:
        if not _PATTERNS[form].fullmatch(text):
            raise ValueError
        year = int(text[:4])
        if form == "day":
            return date.fromisoformat(text)
        if form == "week":
            return date.fromisocalendar(year, int(text[6:]), 1)
        if form == "quarter":
            return date(year, 3 * int(text[6]) - 2, 1)
        return date(year, int(text[5:7]) if form == "month" else 1, 1)
    except ValueError:
        raise ValueError(f"a {form} is written like {_EXAMPLES[form]}") from None


def period_of(form: str, day: date) -> str:
    """Write the period that a day lies in."""
    if form == "day":
        return day.isoformat()
    if form == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if form == "quarter":
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    return f"{day.year:04d}-{day.month:02d}" if form == "month" else f"{day.year:04d}"


def next_period(form: str, text: str) -> str:
    """Write the period after one: the longest of a form ends within the next."""
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[form]
    return period_of(form, first_day(form, text) + timedelta(days=longest))


def periods(form: str, first: str, count: int) -> list[str]:
    """List `count` periods from the first on."""
    listed = [period_of(form, first_day(form, first))]
    while len(listed) < count:
        listed.append(next_period(form, listed[-1]))
    return listed


def sql(form: str, column: str) -> str:
    """Give the Spark SQL that writes the period of a timestamp text (ISO 8601, UTC) in `column`.

    A text without a day (``2026`` or ``2026-03``) lies in a year or a month, and in no finer period.
    """
    day = f"try_to_date(substring({column}, 1, 10), 'yyyy-MM-dd')"
    month = f"CASE WHEN {column} RLIKE '^[0-9]{{4}}-[0-9]{{2}}' THEN substring({column}, 1, 7) END"
    if form == "year":
        return f"CASE WHEN {column} RLIKE '^[0-9]{{4}}' THEN substring({column}, 1, 4) END"
    if form == "month":
        return month
    if form == "quarter":
        number = f"cast(ceil(cast(substring({month}, 6, 2) AS int) / 3) AS string)"
        return f"concat(substring({month}, 1, 4), '-Q', {number})"
    if form == "week":
        year = f"cast(extract(YEAROFWEEK FROM {day}) AS string)"
        return f"concat({year}, '-W', lpad(cast(extract(WEEK FROM {day}) AS string), 2, '0'))"
    return f"date_format({day}, 'yyyy-MM-dd')"
