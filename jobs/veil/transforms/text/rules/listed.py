"""Names by the lists of names alone: words that no list of English or medicine holds, and people who are addressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from veil.contracts import Span
from veil.transforms.text.terms import NAMED, in_phrase
from veil.transforms.text.words import WORD, Lexicon, lexicon, word_set

KIN = (
    r"daughter|son|wife|husband|mother|father|mom|mum|dad|brother|sister|aunt|uncle|niece|nephew|partner|friend|"
    r"spouse|cousin|"
    r"caregiver|roommate|neighbou?r|grand(?:son|daughter|mother|father|ma|pa)|fianc[eé]e?|boyfriend|girlfriend|"
    r"guardian|boss|"
    r"teacher|coach|colleague|coworker|patient|pt|nurse|therapist|interpreter|midwife|doula|named|called"
)
"""Roles of the people around a patient."""
_VERB = (
    r"(?P<verb> (?:you|this|that|it|we|i|be|have|do|see|call|get|go|come|help|take|let|not|need|give|tell|check|"
    r"send|reach|probably|"
    r"also|just|always|never|want)\b)?"
)
_KIN_LOWER = re.compile(rf"\b(?:my|his|her|your|our|their|\w+'s) (?:{KIN}) (?P<id>[a-z]{{3,}})(?!\w){_VERB}")
_GREETED = re.compile(
    rf"\b(?:(?P<greeting>hi|hey|hello|dear|good (?:morning|afternoon|evening|night)|morning)|thanks|thank you|sorry|"
    rf"bye|goodbye|"
    rf"congratulations|welcome(?: back)?),?(?: there)?,? (?P<id>[a-z]{{3,}})(?!\w){_VERB}",
    re.IGNORECASE,
)
_SHORTEST = 3
_SENTENCE = re.compile(r"(?:^|[.!?:;\n•*-])\s*$")
_LAST = re.compile(r"(\w[\w']*) $")
_NEXT = re.compile(r"[ ,]{1,2}(\w[\w']*)")
_PRONOUNS = (
    "i we they he she it you to the a an this that these those my your his her our their its no not who there some any"
)
_NOT_BEFORE = frozenset([*_PRONOUNS.split(), "don't", "each", "every", "doctor"])
_PREPOSITIONS = "and with for is of tell ask call told asked see from did does was if because like about hi hey"
_BEFORE = frozenset(_PREPOSITIONS.split())
_PREDICATES = (
    "here is was has had came come said says told can could would does did took made gave and with all knows about "
    "wants wanted "
    "thinks thought called went drove helped keeps lives works"
)
_AFTER = frozenset(_PREDICATES.split())


def find(text: str) -> Iterator[Span]:
    """Yield words of a folded text that are listed as names alone, and ordinary words that address somebody."""
    words = lexicon()
    yield from _listed(text, words)
    yield from _addressed(text, words)


def _listed(text: str, words: Lexicon) -> Iterator[Span]:
    """Yield words that lists of names hold and no list of English, medicine or countries does."""
    for match in WORD.finditer(text):
        word = match[0].removesuffix("'s")
        end = match.start() + len(word)
        if len(word) < _SHORTEST or not (is_unlisted(word, words) and _is_listed(text, match.start(), word, words)):
            continue
        if not NAMED.match(text, end) and not in_phrase(text, match.start(), end, words):
            yield Span(match.start(), end, "NAME", "rules", "listed_name", 0.85)


def _is_listed(text: str, start: int, word: str, words: Lexicon) -> bool:
    lower = word.lower()
    if word[0].isupper() and word[1:].islower():
        if lower in words.lowercase and _SENTENCE.search(text[max(0, start - 4) : start]):
            return False
        return (lower in words.given or lower in words.family) and lower not in _countries()
    return (
        word.islower()
        and len(word) > _SHORTEST
        and lower in words.given
        and not words.ambiguous(lower)
        and lower not in words.lowercase
        and lower not in words.ordinary_given
    )


@cache
def _countries() -> frozenset[str]:
    return word_set("countries.txt")


def _addressed(text: str, words: Lexicon) -> Iterator[Span]:
    """Yield given names that are ordinary words where they address or introduce somebody, and their other places.

    Those others are told from the word by what stands around them ("is hope here", not "i hope").
    """
    found: set[str] = set()
    for pattern in (_KIN_LOWER, _GREETED):
        for match in pattern.finditer(text):
            lower = match["id"].lower()
            groups = match.groupdict()
            ordinary = lower in words.ordinary_given and not groups.get("verb") and groups.get("greeting", "kin")
            if ordinary or (is_unlisted(lower, words) and lower in words.given):
                found.add(lower)
                yield Span(match.start("id"), match.end("id"), "NAME", "rules", "addressed", 0.9)
    for match in WORD.finditer(text) if found else ():
        if match[0].lower() in found and _stands_as_name(text, match):
            yield Span(match.start(), match.end(), "NAME", "rules", "addressed", 0.7)


def _stands_as_name(text: str, match: re.Match[str]) -> bool:
    before = _LAST.search(text[max(0, match.start() - 20) : match.start()])
    after = _NEXT.match(text, match.end())
    return not (before and before[1].lower() in _NOT_BEFORE) and (
        after is None or after[1].lower() in _AFTER or (before is not None and before[1].lower() in _BEFORE)
    )


def is_unlisted(word: str, words: Lexicon) -> bool:
    """Tell whether no list of English or medicine holds a word, by its parts if it is of several."""
    parts = re.split(r"['-]", word.lower())
    return not any(
        words.common(part) or part in words.eponyms or part in words.surname_eponyms or part in words.acronyms
        for part in parts
        if len(part) > 1
    )
