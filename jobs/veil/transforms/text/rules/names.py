"""(A) names, by the title or the label in front of them."""

from __future__ import annotations

import re

from veil.transforms.text.words import WORD, lexicon

from .rule import Rule

_PART = r"[^\W\d_]+(?:['-][^\W\d_]+){0,3}"
_INITIAL = r"(?:[A-Za-z]\.? ){0,2}"
_FIELD = (
    r"(?!(?i:dob|d\.o\.b|mrn|age|sex|gender|date|ssn|phone|tel|address|id|account|acct|born|birth|md|race|room|unit)\b)"
)
_CAPITALS = r"[A-Z][A-Z'-]+(?: [A-Z]\.)?(?: [A-Z][A-Z'-]+){0,2}(?![\w'])"
_ACRONYM = r"[A-Z][A-Z0-9]{1,5}\b"
"""Behind a name of small letters it is a finding or a degree: "Aunt Marta DVT"."""
_ROLES = (
    r"patient|pt|name|surgeon|assistant|anesthesiologist|attending|provider|physician|author|pcp|spouse|mother|father|"
    r"informant|caller|cc|attn|consultant|resident|intern|interpreter|nurse|witness|signed|dictated by|seen by"
)
_HOW = (
    "good well fair poor stable better fine calm ill sick weak old male female awake alert home na none unknown new "
    "same self here there short late early will may can did does do has is was be said says see seen sees saw want "
    "wants ask asked note notes back long-term rest now today yes no in out up down on off not very more less still "
    "also then comfortable pleasant oriented obese thin frail intubated sedated unresponsive cooperative present "
    "absent pending"
)
_CONDITIONS = frozenset(_HOW.split())
"""Words behind "patient:" that say how somebody is, though some are family names too."""
_TITLES = r"(?:dr|mr|mrs|mx|prof|rev|sgt|capt|lt|miss)"
_LONG_TITLES = r"(?:doctor|nurse|professor|sister|brother|aunt|uncle)"


def _name(text: str) -> bool:
    """Tell whether the first word behind a title can be a name."""
    words = lexicon()
    first = next((word for word in WORD.findall(text) if len(word) > 1), "")
    lower = first.lower()
    if not lower or (lower in words.everyday and not first[0].isupper()):
        return False
    return first[0].isupper() or lower not in words.safe or lower in words.family or lower in words.given


def _unusual(text: str) -> bool:
    """Behind a title that is also an ordinary word, an ordinary word is what it says."""
    first = next((word for word in WORD.findall(text) if len(word) > 1), "")
    return bool(first) and lexicon().suspect(first, initial=False)


def _family(text: str) -> bool:
    """Tell "Patient: Long" from "Patient: Stable": it is a family name, and not how somebody is."""
    words = lexicon()
    last = [word.lower() for word in WORD.findall(text) if len(word) > 1][-1:]
    return any(
        word not in _CONDITIONS and (word in words.family or word in words.given or not words.common(word))
        for word in last
    )


def _family_lower(text: str) -> bool:
    return text in lexicon().family and text not in _CONDITIONS


def _family_given(text: str) -> bool:
    """Tell "Long, Mary" from two findings: a family name, and a given name that is no everyday word."""
    words = lexicon()
    found = [word.lower() for word in WORD.findall(text) if len(word) > 1]
    return (
        len(found) > 1
        and found[0] in words.family
        and found[0] not in words.eponyms
        and found[1] in words.given
        and not words.common(found[1])
    )


def _listed(text: str) -> list[bool]:
    words = lexicon()
    found = [word.lower() for word in WORD.findall(text) if len(word) > 1]
    return [word in words.given or (word in words.family and word not in words.everyday) for word in found]


def _listed_once(text: str) -> bool:
    """Tell "Ng, Li" from "Alert, Oriented" behind a label: one of the two is listed as a name."""
    return any(_listed(text))


def _listed_twice(text: str) -> bool:
    """Tell a name from two findings: both words are listed as names."""
    listed = _listed(text)
    return len(listed) > 1 and all(listed)


RULES = (
    Rule(
        "title",
        "NAME",
        re.compile(
            rf"\b(?i:{_TITLES})\b ?\.?[ \n]{{1,2}}(?P<id>{_INITIAL}(?:{_CAPITALS}|[A-Z]{_PART}(?: [A-Z]\.)?"
            rf"(?: (?!{_ACRONYM})[A-Z]{_PART}){{0,2}}|{_PART}))"
        ),
        _name,
    ),
    Rule(
        "title_word",
        "NAME",
        re.compile(
            rf"\b(?i:{_LONG_TITLES})\b\.?[ \n]{{1,2}}(?P<id>{_INITIAL}(?:{_CAPITALS}|[A-Z]{_PART}(?: [A-Z]\.)?"
            rf"(?: (?!{_ACRONYM})[A-Z]{_PART}){{0,2}}|{_PART}))"
        ),
        _unusual,
    ),
    Rule(
        "title_ms",
        "NAME",
        re.compile(rf"(?<!\d )\b(?:Ms|MS|ms) ?\. ?(?P<id>{_INITIAL}{_PART}(?: [A-Z]{_PART})?)"),
        _name,
    ),
    Rule("title_ms_plain", "NAME", re.compile(rf"\bMs (?P<id>{_INITIAL}[A-Z]{_PART}(?: [A-Z]{_PART})?)"), _name),
    Rule(
        "label",
        "NAME",
        re.compile(
            r"(?:\b(?i:(?:patient|pt|full|first|last|maiden|legal|preferred|mother's|father's|provider|"
            r"physician|emergency contact)(?:'s)? name|"
            r"(?<!\w)name|surname|attending|pcp|referring (?:physician|provider)|signed by|dictated by|"
            r"transcribed by|author|next of kin))"
            rf"[ \t]{{0,3}}[:=][ \t]{{0,3}}(?P<id>{_FIELD}{_PART}(?:,? {{1,2}}{_FIELD}(?:[A-Z]\.|[A-Z]{_PART})){{0,3}})"
        ),
        _name,
    ),
    Rule(
        "label_person",
        "NAME",
        re.compile(
            r"\b(?i:patient|pt|name|client|resident|guarantor|spouse|mother|father|caller|informant|proxy|nok)"
            rf"[ \t]{{0,2}}[:=][ \t]{{0,3}}(?P<id>[A-Z]{_PART}, ?[A-Z]{_PART}(?: [A-Z]\b\.?)?)"
        ),
        _listed_once,
    ),
    Rule(
        "label_family",
        "NAME",
        re.compile(
            rf"\b(?i:{_ROLES})[ \t]{{0,2}}[:=][ \t]{{0,3}}\n?[ \t]{{0,3}}(?P<id>(?:[A-Z]\. ?){{0,2}}[A-Z]{_PART})"
            r"(?=[ \t]{0,3}(?:[\n,;.()|]|$))"
        ),
        _family,
    ),
    Rule(
        "family_comma_given",
        "NAME",
        re.compile(rf"(?<![\w,] )\b(?P<id>[A-Z]{_PART}, ?[A-Z]{_PART}(?: [A-Z]\b\.?)?)(?![\w'])"),
        _family_given,
    ),
    Rule(
        "family_comma_initial",
        "NAME",
        re.compile(r"(?m)^[ \t]{0,8}(?P<id>[A-Z][A-Z'-]{1,24}, ?[A-Z]\.?)(?=[ \t]{0,8}(?:$|[|;(\d]))"),
        _family,
    ),
    Rule(
        "subject_verb",
        "NAME",
        re.compile(
            rf"\b(?:[Pp]atient|PATIENT|[Pp]t\.?|PT) (?P<id>[A-Z]{_PART})(?= (?i:was|is|seen|has|had|reports?|denies|"
            r"denied|states?|stated|presents?|presented|came|complains?|underwent|called)\b)"
        ),
        _family,
    ),
    Rule("title_closed", "NAME", re.compile(rf"\b(?:Mr|Mrs|Ms|Dr|MR|MRS|MS|DR)\.(?P<id>[A-Z]{_PART})(?! ?\.)"), _name),
    Rule(
        "title_lower",
        "NAME",
        re.compile(
            r"\b(?:mr|mrs|dr|miss)\.? (?P<id>[a-z]{2,20})(?=[ ]?(?:[,.;:)\n]|$)| (?:was|is|has|saw|says|said)\b)"
        ),
        _family_lower,
    ),
    Rule(
        "label_plain",
        "NAME",
        re.compile(
            rf"\b(?i:(?:patient|pt)(?:'s)? name(?: is)?) (?P<id>[A-Z]{_PART}(?: [A-Z]\.)?(?: [A-Z]{_PART}){{0,2}})"
        ),
        _name,
    ),
    Rule(
        "family_given_age",
        "NAME",
        re.compile(rf"\b(?P<id>[A-Z]{_PART}, ?[A-Z]{_PART}(?: [A-Z]\.?)?)(?=,? \d{{1,3}} ?(?:y/?o\b|[MF]\b))"),
        _listed_twice,
    ),
    Rule(
        "credentials",
        "NAME",
        re.compile(
            rf"\b(?P<id>(?:[A-Z]\. ?){{1,2}}[A-Z]{_PART}|"
            rf"[A-Z]{_PART}(?: [A-Z]\.)?(?: [A-Z]{_PART}){{1,2}}),? (?:M\.?D|D\.?O|R\.?N|N\.?P|"
            r"P\.?A(?:-C)?|Ph\.?D|D\.?D\.?S|LPN|LCSW|PharmD)\b"
        ),
    ),
)
