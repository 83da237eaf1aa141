"""The subject's own identifiers, and those of the people around them, in the forms that notes use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from veil.contracts import KnownIdentifier, Span

from . import known_names
from .folding import fold
from .rules.places import SUFFIXES

_SHORTEST = 4
"""A shorter number without context stands for too much else."""
_GAP = r"[\W_]{0,3}"
_SUFFIX = re.compile(rf"(?:{SUFFIXES})", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")


def find(text: str, known: Sequence[KnownIdentifier]) -> Iterator[Span]:
    """Yield where known identifiers stand in a folded text; spans may overlap.

    Parameters
    ----------
    text
        The folded text.
    known
        What the vault holds. Names are matched by parts, nicknames, initials and with one typing error; numbers
        whatever separates their digits; birth dates and addresses in the forms they are written in.
    """
    names = [item.value for item in known if item.kind == "NAME"]
    yield from known_names.find(text, names)
    for item in known:
        for pattern in _patterns(item):
            for match in _compiled(pattern).finditer(text):
                yield Span(match.start(), match.end(), item.kind, "known", f"known_{item.kind.lower()}")


@lru_cache(maxsize=16_384)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern once for all notes of a subject; the cache of `re` holds no more than 512."""
    return re.compile(pattern, re.IGNORECASE)


def _patterns(item: KnownIdentifier) -> Iterator[str]:
    value = fold(item.value).text.strip()
    match item.kind:
        case "NAME":
            return
        case "DATE":
            yield from _dates(value)
        case "LOCATION" | "ORGANIZATION":
            yield from _phrase(value)
        case "PHONE" | "FAX":
            yield from _telephone(value)
        case "EMAIL" | "URL":
            if value:
                yield r"(?<!\w)" + r"\s?".join(re.escape(part) for part in re.split(r"(?=[@.])", value)) + r"(?!\w)"
        case _:
            code = re.sub(r"[\W_]", "", value)
            if len(code) >= _SHORTEST:
                yield _spread(code)
            short = code.lstrip("0")
            if code.isdecimal() and _SHORTEST <= len(short) < len(code):
                yield _spread(short)  # a system that reads it as a number loses its zeros


def _spread(code: str) -> str:
    return r"(?<![^\W_])" + _GAP.join(re.escape(char) for char in code) + r"(?![^\W_])"


def _telephone(value: str) -> Iterator[str]:
    number = re.sub(r"\D", "", re.split(r"(?i)x|ext", value)[0])
    if len(number) >= 7:
        core = _GAP.join(number[-10:])
        yield (
            rf"(?<!\d)(?:\+?{re.escape(number[:-10])}{_GAP})?\(?{core}(?!\d)"
            if number[:-10]
            else rf"(?<!\d)(?:\+?1{_GAP})?\(?{core}(?!\d)"
        )
    if len(number) >= 10:
        yield rf"(?<!\d){number[-7:-4]}[ .-]?{number[-4:]}(?!\d)"


def _dates(value: str) -> Iterator[str]:
    """Yield the forms that the date rules leave alone: digits without separators, day and month alone."""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return
    year, month, dom, short = f"{day.year}", f"{day.month:02d}", f"{day.day:02d}", f"{day.year % 100:02d}"
    compact = (month + dom + year, dom + month + year, year + month + dom, month + dom + short, dom + month + short)
    yield r"(?<!\d)(?:" + "|".join(compact) + r")(?!\d)"
    first, second = f"0?{day.month}", f"0?{day.day}"
    separator = r"[ ]?[/.\-][ ]?"
    tail = rf"(?:{separator}(?:{year}|{short}))"
    yield rf"(?<![\d/.-])(?:{first}{separator}{second}|{second}{separator}{first}){tail}(?!\d)"
    yield rf"(?<![\d/.-]){first}[/-]{second}(?![\d/.])"


def _phrase(value: str) -> Iterator[str]:
    """Yield a phrase with any punctuation between its words, and a street without its suffix or with another."""
    parts = _WORDS.findall(value)
    if not parts or (len(parts) == 1 and len(parts[0]) < 3):
        return
    gap = r"[\s.,#-]{1,4}"
    street = parts[0][0].isdigit() and len(parts) > 2
    if street:
        index = next((i for i in range(len(parts) - 1, 0, -1) if _SUFFIX.fullmatch(parts[i])), None)
        if index is not None and index > 1:
            head = gap.join(re.escape(part) for part in parts[:index])
            tail = "".join(rf"(?:{gap}{re.escape(part)})?" for part in parts[index + 1 :])
            yield rf"(?<!\w){head}(?:{gap}(?:{SUFFIXES})\b\.?)?{tail}(?!\w)"
            return
    yield r"(?<!\w)" + gap.join(re.escape(part) for part in parts) + r"(?!\w)"
