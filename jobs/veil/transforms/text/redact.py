"""Replace what was found: typed tags, years, shifted dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from veil.contracts import Profile, Span, SurrogateSeed

from .folding import fold
from .rules import dates
from .surrogates import surrogate

TAG = re.compile(
    r"\[(?:NAME|LOCATION|DATE|AGE|PHONE|FAX|EMAIL|SSN|MRN|HEALTH_PLAN|ACCOUNT|LICENSE|VEHICLE|DEVICE|URL|IP|"
    r"BIOMETRIC|PHOTO|ID|ORGANIZATION)\]"
)
_OLDEST_AGE = 89
_LEAD = 48
_BORN = re.compile(
    r"(?:(?<![^\W_])(?:dob|d\.o\.b\.?|b(?:irth)?[ -]?(?:date|day)|birth|born)(?![^\W_])"
    r"(?:\W{0,6}|[^\d\n.;]{0,32})|(?<![\w.])b\.\W{0,6})\Z",
    re.IGNORECASE,
)
"""In front of a date of birth, of which either profile publishes the year alone."""

_NAME = re.compile(r"[^@/\\<>&;:|\[\]{}]{1,200}")
"""What can be one name: with an address or markup in it, it becomes a tag."""


def redact(
    text: str,
    spans: Sequence[Span],
    *,
    profile: Profile,
    offset_days: int = 0,
    reference_year: int = 0,
    surrogates: SurrogateSeed | None = None,
) -> str:
    """Replace each span by what the profile lets remain of it.

    Parameters
    ----------
    text
        The original text.
    spans
        Sorted, not overlapping, as `TextEngine.find` returns them.
    profile
        ``safe_harbor`` keeps the year of a date, unless it lies 90 years or more before the latest one
        (164.514(b)(2)(i)(C)); ``expert`` moves complete dates by `offset_days` and renders them in their own form.
    offset_days
        Days to move dates by under ``expert``. A second pass over the result has to use 0.
    reference_year
        The year in which the note is read: a year that makes somebody 90 by then is not shown.
    surrogates
        What names are replaced from; without it they become tags.

    Returns
    -------
    str
        The text with typed tags such as ``[NAME]``; an age becomes ``90+``.
    """
    latest = max([reference_year, *_years(text, spans)])
    day_first = _writes_day_first(text, spans) if profile == "expert" else False
    parts: list[str] = []
    end = 0
    for span in spans:
        parts.append(text[end : span.start])
        value = text[span.start : span.end]
        if span.kind == "NAME" and surrogates is not None and _NAME.fullmatch(value):
            parts.append(surrogate(value, surrogates))
        else:
            of_birth = span.kind == "DATE" and _is_of_birth(text, span)
            how: Profile = "safe_harbor" if of_birth else profile
            parts.append(_replacement(value, span, how, offset_days, latest, day_first=day_first))
        end = span.end
    parts.append(text[end:])
    return "".join(parts)


def _is_of_birth(text: str, span: Span) -> bool:
    """Tell by the label in front of it, with what markup stands between."""
    before = fold(text[max(0, span.start - _LEAD) : span.start]).text
    return span.rule == "known_date" or _BORN.search(before) is not None


def _years(text: str, spans: Sequence[Span]) -> Iterator[int]:
    for span in spans:
        if span.kind == "DATE" and (year := dates.year(fold(text[span.start : span.end]).text)) is not None:
            yield year


def _writes_day_first(text: str, spans: Sequence[Span]) -> bool:
    """Tell from the dates that can be read in one way how the others of a note are meant."""
    found = [fold(text[span.start : span.end]).text for span in spans if span.kind == "DATE"]
    orders = [order for value in found if (order := dates.order(value)) is not None]
    return orders.count("d") > orders.count("m")


def _replacement(value: str, span: Span, profile: Profile, offset_days: int, latest: int, *, day_first: bool) -> str:
    if span.kind == "AGE":
        return "90+"
    if span.kind != "DATE":
        return f"[{span.kind}]"
    folded = fold(value).text
    if profile == "safe_harbor":
        year = dates.year(folded)
        return "[DATE]" if year is None or latest - year > _OLDEST_AGE else str(year)
    written = dates.parse(folded, day_first=day_first) or dates.parse_month(folded)
    if written is None:
        return "[DATE]"
    try:
        return written.shifted(offset_days)
    except OverflowError:
        return "[DATE]"
