"""Names that their capitals give away, where neither a title nor a model points at them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veil.contracts import Span
from veil.transforms.text.words import Lexicon, lexicon

_PART = r"[A-Z](?:[a-z]+|[A-Z]+)(?:['-][A-Za-z][a-z]+|['-][A-Z]+)?"
_PAIR = re.compile(rf"(?<![\w'-])(?=(?P<first>{_PART})(?: [A-Z]\.?)? (?P<second>{_PART})(?![\w-]|'[a-rt-z]))")
_PERSON = re.compile(
    r"\b(?i:daughter|son|wife|husband|mother|father|mom|dad|brother|sister|aunt|uncle|niece|nephew|partner|friend|spouse|"
    r"cousin|caregiver|roommate|neighbou?r|grand(?:son|daughter|mother|father)|patient|pt|nurse|therapist|interpreter|"
    r"midwife|doula|named|called|fianc[eé]e?|boyfriend|girlfriend|guardian)(?:'s)?,? "
    r"(?P<id>[A-Z][a-z]{2,}(?:[-'][A-Za-z][a-z]+)?)(?![\w])"
)
_INSIDE = re.compile(r"(?<=[a-z] )(?P<id>[A-Z][a-z]{2,})(?='s |,? [a-z])")
_DETERMINER = re.compile(r"\b(?:the|an?|this|that|of|in|and|or|to|by|on|at|until|since|last|next|every|early|late) $", re.IGNORECASE)
_MONTHS = frozenset({"april", "may", "june", "august"})


def find(text: str) -> Iterator[Span]:
    """Yield full names of two listed parts, names behind a person's role, and given names that are ordinary words.

    The last count with a capital amid words without one ("tell Hope that"), not behind an article or a preposition.
    """
    words = lexicon()
    for match in _PAIR.finditer(text):
        if _is_full_name(match["first"], match["second"], words):
            yield Span(match.start("first"), match.end("second"), "NAME", "rules", "full_name", 0.9)
    for match in _PERSON.finditer(text):
        if _is_unlisted(match["id"], words):
            yield Span(match.start("id"), match.end("id"), "NAME", "rules", "named_person", 0.9)
    for match in _INSIDE.finditer(text):
        lower = match["id"].lower()
        if lower in words.ordinary_given and lower not in _MONTHS and not _DETERMINER.search(text, 0, match.start()):
            yield Span(match.start("id"), match.end("id"), "NAME", "rules", "capital_inside", 0.6)


def _is_full_name(first: str, second: str, words: Lexicon) -> bool:
    if first.isupper() != second.isupper():
        return False
    one, two = first.lower(), second.lower()
    if not (_is_unlisted(first, words) and _is_unlisted(second, words)) or f"{one}-{two}" in words.phrases:
        return False
    return one in words.given and (two in words.family or two in words.given)


def _is_unlisted(word: str, words: Lexicon) -> bool:
    """Tell whether no list of English or medicine holds a word, by its parts if it is of several."""
    parts = re.split(r"['-]", word.lower())
    return not any(
        words.common(part) or part in words.eponyms or part in words.surname_eponyms or part in words.acronyms
        for part in parts
        if len(part) > 1
    )
