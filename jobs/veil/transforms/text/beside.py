"""What stands beside a name that was found: the rest of the name, an age, a number in parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from veil.contracts import Span

from .words import Lexicon, lexicon

_WORD = r"[^\W\d_]+(?:['-][^\W\d_]+){0,3}"
_PARTICLE = r"(?P<particle> (?:de la|de los|de|del|da|dos|di|van der|van|von|der|bin|ibn|al|el|la))?"
_BEHIND = re.compile(rf"(?:(?: [A-Z]\.?)?{_PARTICLE}[ ]|-|, ?)(?P<word>{_WORD})")
_GENERATION = re.compile(r",? (?:Jr|Sr|JR|SR)\b\.?| (?:II|III|IV)\b(?=[ ,.;)\n]|$)")
_BEFORE = re.compile(rf"(?<![\w'])(?P<word>{_WORD})(?: [A-Z]\.?)?(?:[ ]|-|, ?)$")
_INITIAL_BEFORE = re.compile(r"(?<![\w.])[A-Z]\.? $|(?<![\w'-])[A-Z][a-z]{1,14}-$")
_INITIAL_BEHIND = re.compile(r" [A-Z](?:\.(?=\s)|\.?(?= ?[|,;)\n]|$))|-[^\W\d_]{2,14}(?!\w)")
_AGE = re.compile(r",? \(?(?P<id>9\d|1[01]\d)(?=[ ]?(?:[,.;)\n]|[MFmf]\b|y\b|$))(?![.,]\d)")
_NUMBER = re.compile(
    r"(?:[ ]{0,2}[(\[#]{1,2}[ ]?|[ ]{1,2}|, ?|: ?|; ?)(?P<id>(?=[A-Z-]{0,6}\d)[A-Z]{0,5}-?\d[\d-]{4,14})(?![\w%/]|"
    r"\.\d|,\d| ?(?:mg|ml|units?|k\b))"
)
_LONGEST_PART = 30


def find(text: str, names: Iterable[Span]) -> Iterator[Span]:
    """Yield what belongs to the names of a folded text but reads like an ordinary word or number.

    Parameters
    ----------
    text
        The folded text.
    names
        Spans of the kind NAME.
    """
    words = lexicon()
    for span in names:
        yield from _rest(text, span, words)
        yield from _initials(text, span)
        if age := _AGE.match(text, span.end):
            yield Span(age.start("id"), age.end("id"), "AGE", "rules", "age_beside_name")
        elif number := _NUMBER.match(text, span.end):
            yield Span(number.start("id"), number.end("id"), "MRN", "rules", "number_beside_name", 0.5)


def _initials(text: str, span: Span) -> Iterator[Span]:
    """Take in an initial before or behind a name, and the other half of one with a hyphen: "L. Rios", "Min-seo"."""
    base = max(0, span.start - _LONGEST_PART)
    before = _INITIAL_BEFORE.search(text[base : span.start])
    behind = _INITIAL_BEHIND.match(text, span.end)
    if before or behind:
        start = base + before.start() if before else span.start
        yield Span(start, behind.end() if behind else span.end, "NAME", "rules", "initial_beside")


def _rest(text: str, span: Span, words: Lexicon) -> Iterator[Span]:
    """Take in the other parts of a full name, though they are ordinary words too: "Christian Long", "Washington, Ty".

    A part has to be written like the found one: both with a capital, or both in capitals.
    """
    found = text[span.start : span.end].split()[-1]
    if not found[0].isupper():
        return
    behind = _BEHIND.match(text, span.end, span.end + _LONGEST_PART)
    if suffix := _GENERATION.match(text, span.end):
        yield Span(span.start, suffix.end(), "NAME", "rules", "generation_behind")
    elif behind and "," in behind[0]:
        # "Kwon, Soon-ja": a name behind a comma is a given one, and not an ordinary word
        word = behind["word"].split("-")[0]
        # "GRANT,HOPE": without a blank and in capitals, an ordinary word is one too
        close = found.isupper() and word.isupper() and not behind[0].startswith(", ") and word.lower() in words.given
        if close or (_is_part(word, found, words.given, words) and not words.common(behind["word"])):
            yield Span(span.start, behind.end("word"), "NAME", "rules", "given_behind")
    elif behind and _is_part(behind["word"], found, words.family, words):
        alone = found.lower() in words.given and " " not in text[span.start : span.end]
        closed = text[behind.end("word") : behind.end("word") + 1] in (",", ".", ";", ")", "\n", "")
        if alone or closed or behind["particle"] or not words.common(behind["word"]):
            yield Span(span.start, behind.end("word"), "NAME", "rules", "surname_behind")
    base = max(0, span.start - _LONGEST_PART)
    before = _BEFORE.search(text[base : span.start])
    first = text[span.start : span.end].split()[0]
    if before:
        lists = words.family if "," in before[0] else words.given
        if before[0].endswith(",") and before["word"].isupper() and first.isupper() and first.lower() in words.given:
            yield Span(base + before.start("word"), span.end, "NAME", "rules", "name_before")
        if _is_part(before["word"], first, lists, words) and (first.isupper() or "," not in before[0]):
            yield Span(base + before.start("word"), span.end, "NAME", "rules", "name_before")


def _is_part(word: str, found: str, names: frozenset[str], words: Lexicon) -> bool:
    lower = word.lower()
    if len(word) < 2 or lower not in names or (word.isupper() != found.isupper()) or not word[0].isupper():
        return False
    return lower not in words.everyday or lower in words.ordinary
