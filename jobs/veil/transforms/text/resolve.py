"""Overlapping findings become one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from veil.contracts import Span

_RANK = {"known": 3, "rules": 2, "rampart": 1, "spacy": 0}
_JOINED = ("NAME", "LOCATION")
_POSTCODE = re.compile(r"(?:[ ,\n]{1,4}[A-Z][A-Za-z]{1,20}){0,2}[ ,\n]{1,4}\d{5}(?:-\d{4})?(?![\d.%-])")
"""What may follow a place: its state or country, and the postal code that ends an address."""
_DIGITS = re.compile(r"\d{1,4}(?!\w)")


def resolve(text: str, spans: Iterable[Span]) -> list[Span]:
    """Merge spans so that what any detector found stays covered.

    Parameters
    ----------
    text
        The text that the spans index.
    spans
        Findings in any order, overlapping or not.

    Returns
    -------
    list of Span
        Sorted, not overlapping, not empty, trimmed. An overlap becomes the union, under the kind of the most
        trusted detector, then of the highest score, then of the longest. Neighbouring names
        become one, and so do neighbouring places.
    """
    merged: list[Span] = []
    spans = [_with_number(text, _with_postcode(text, span)) for span in spans]
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if merged and (span.start < merged[-1].end or _neighbours(text, merged[-1], span)):
            last = merged[-1]
            best = max(last, span, key=lambda s: (_RANK.get(s.detector, 0), s.score, s.end - s.start))
            merged[-1] = replace(best, start=last.start, end=max(last.end, span.end))
        else:
            merged.append(span)
    return [trimmed for span in merged if (trimmed := _trim(text, span)) is not None]


def _with_postcode(text: str, span: Span) -> Span:
    match = _POSTCODE.match(text, span.end) if span.kind == "LOCATION" else None
    return replace(span, end=match.end()) if match else span


def _with_number(text: str, span: Span) -> Span:
    """Take in digits written onto a name, as in generated records and user names."""
    match = _DIGITS.match(text, span.end) if span.kind == "NAME" else None
    return replace(span, end=match.end()) if match else span


def _neighbours(text: str, left: Span, right: Span) -> bool:
    """Tell whether only a space, a comma or an initial's point separates two parts of one name or place."""
    if left.kind != right.kind or left.kind not in _JOINED or right.start - left.end > 3:
        return False
    between = text[left.end : right.start]
    return between.strip(" \n\t.,-") == "" and between.count("\n") < 2


def _trim(text: str, span: Span) -> Span | None:
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return replace(span, start=start, end=end) if start < end else None
