"""Names that their capitals and what stands beside them give away, without a title or a model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veil.contracts import Span
from veil.transforms.text.words import Lexicon, lexicon

from .listed import KIN, is_unlisted

_PART = r"[A-Z](?:[a-z]+|[A-Z]+)(?:['-][A-Za-z][a-z]+|['-][A-Z]+)?"
_PAIR = re.compile(rf"(?<![\w'-])(?=(?P<first>{_PART})(?: [A-Z]\.?)? (?P<second>{_PART})(?![\w-]|'[a-rt-z]))")
_CREDENTIAL = (
    r"(?:M\.?D|D\.?O|R\.?N|N\.?P|A?P\.?R?N|P\.?A(?:-?C)?|DNP|CRNA|LPN|CNA|L?CSW|PharmD|DPT|PT|OT|SLP|RD|RT|SPT|PGY-?\d|"
    r"MS[1-4]|PhD|RDN|CNM)"
)
_PERSON = re.compile(rf"\b(?i:{KIN})(?:'s)?,? (?P<id>[A-Z][a-z]{{2,}}(?:[-'][A-Za-z][a-z]+)?)(?!\w)")
_CREDITED = re.compile(rf"(?<![\w'-])(?P<id>[A-Z](?:[a-z]+|[A-Z]{{2,}})(?:[-'][A-Z]?[a-z]+)?),? {_CREDENTIAL}\b(?! \d)")
_DISCUSSED = re.compile(
    r"(?:\bd/w|\bdiscussed (?:w/|with)|\bper|\bpaged|\bsigned(?: by)?) (?P<id>[A-Z][a-z]{2,})(?![\w-])"
)
_LETTERS = re.compile(r"(?<![\w-])[A-Z](?:-[A-Z]){3,14}(?![\w-])")
_INSIDE = re.compile(r"(?<=[a-z] )(?P<id>[A-Z][a-z]{2,})(?='s |,? [a-z])")
_DETERMINER = re.compile(
    r"\b(?:the|an?|this|that|of|in|and|or|to|by|on|at|until|since|last|next|every|early|late) $", re.IGNORECASE
)
_MONTHS = frozenset({"april", "may", "june", "august"})


def find(text: str) -> Iterator[Span]:
    """Yield full names of two listed parts, names behind a person's role, and given names that are ordinary words.

    The last count with a capital amid words without one ("tell Hope that"), not behind an article or a preposition.
    """
    words = lexicon()
    for match in _PAIR.finditer(text):
        if _is_full_name(match["first"], match["second"], words):
            yield Span(match.start("first"), match.end("second"), "NAME", "rules", "full_name", 0.9)
    for pattern in (_PERSON, _CREDITED):
        for match in pattern.finditer(text):
            if is_unlisted(match["id"], words):
                yield Span(match.start("id"), match.end("id"), "NAME", "rules", "named_person", 0.9)
    for match in _DISCUSSED.finditer(text):
        if match["id"].lower() in words.family and match["id"].lower() not in words.eponyms:
            yield Span(match.start("id"), match.end("id"), "NAME", "rules", "discussed_with", 0.7)
    for match in _LETTERS.finditer(text):
        yield Span(match.start(), match.end(), "NAME", "rules", "spelled_name", 0.7)
    for match in _INSIDE.finditer(text):
        lower = match["id"].lower()
        if (
            lower in words.ordinary_given
            and lower not in _MONTHS
            and not _DETERMINER.search(text[max(0, match.start() - 12) : match.start()])
        ):
            yield Span(match.start("id"), match.end("id"), "NAME", "rules", "capital_inside", 0.6)


def _is_full_name(first: str, second: str, words: Lexicon) -> bool:
    if first.isupper() != second.isupper():
        return False
    one, two = first.lower(), second.lower()
    if not (is_unlisted(first, words) and is_unlisted(second, words)) or f"{one}-{two}" in words.phrases:
        return False
    return one in words.given and (two in words.family or two in words.given)
