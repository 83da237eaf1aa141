"""Places by the words in front of them, and cities in front of a state without a comma: 164.514(b)(2)(i)(B)."""

from __future__ import annotations

import re
from functools import cache

from veil.transforms.text.words import WORD, lexicon, lines, word_set

from .places import ABBREVIATIONS
from .rule import Rule

_PLACE = r"[A-Z][a-z'-]{2,24}(?: [A-Z][a-z'-]{2,24}){0,2}"
_LIVES = (
    r"lives?|lived|living|resid(?:es?|ed|ing)|born|raised|grew up|moved|relocated|emigrated|immigrated|native|"
    r"flew|drove|travell?(?:ed|ing)|stay(?:s|ed|ing)|graduated?"
)
_WORDS = (
    "hospital hospice assisted nursing home rehab icu er ed room foster group shelter apartment house labor term care "
    "january february march april may june july august september october november december spring summer fall winter "
    "monday tuesday wednesday thursday friday saturday sunday clinic unit floor bed"
)
_NO_PLACES = frozenset(_WORDS.split())
_STATES = "AZ|KS|KY|MN|NH|NY|TN|WV|WY"
"""Abbreviations of states that stand for nothing else in a note; in front of the others a comma has to stand."""


@cache
def _wide() -> frozenset[str]:
    """Words of states and countries, which may stay."""
    states = (line.split(maxsplit=1)[1].lower() for line in lines("states.txt"))
    return word_set("countries.txt") | {word for state in states for word in state.split()}


def _place(text: str) -> bool:
    """Tell a place from an ordinary word with a capital, a state and a country."""
    words = [word.lower() for word in WORD.findall(text)]
    first = words[0] if words else ""
    return not all(word in _wide() for word in words) and first not in _NO_PLACES and first not in lexicon().everyday


@cache
def _cities() -> frozenset[str]:
    return frozenset(name.replace("_", " ") for name in word_set("cities.txt"))


def _known_city(text: str) -> bool:
    name = re.sub(r"\s+", " ", text.lower().replace(".", ""))
    return name in _cities() or name.split(" ")[0] in _cities()


RULES = (
    Rule(
        "city",
        "LOCATION",
        re.compile(
            r"\b(?i:from|in|to|near|at|of|outside) (?P<id>[A-Z][A-Za-z.'-]{2,15}(?: [A-Z][A-Za-z'-]{2,12}){0,2})"
            rf"(?:,? (?:{ABBREVIATIONS})\b)?(?=[ \t]{{0,2}}(?:[,.;:)\n]|$)| (?:and|for|with|on|by|in|where|via|to|last|"
            r"this|after|who|today|yesterday|since|as|due)\b)"
        ),
        _known_city,
        0.8,
    ),
    Rule(
        "city_lower",
        "LOCATION",
        re.compile(rf"\b(?:{_LIVES}) (?:in|to|from|near) (?P<id>[a-z]{{4,15}})\b"),
        _known_city,
    ),
    Rule(
        "residence",
        "LOCATION",
        re.compile(
            rf"\b(?i:{_LIVES})(?: (?!in |to |at |of |from |near )[a-z]{{2,12}})? "
            rf"(?:in|to|from|near|outside(?: of)?|of) (?P<id>{_PLACE})(?![\w'])"
        ),
        _place,
        0.8,
    ),
    Rule(
        "city_state_plain",
        "LOCATION",
        re.compile(rf"\b(?P<id>{_PLACE}) (?:{_STATES})(?![\w'])"),
        _place,
        0.8,
    ),
)
