"""Ages over 89: 164.514(b)(2)(i)(C). Younger ages are not identifiers."""

from __future__ import annotations

import re

from .rule import Rule

_I = re.IGNORECASE
_YEARS = r"[ \n]?-?[ ]?(?:years?|yrs?\.?|y\.?/?o\.?|yo|yof|yom|y)\b"
_OLD = r"(?P<id>9\d|1[0-3]\d)(?![\d+]|\.\d)"
_WORDS = (
    r"(?P<id>ninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|"
    r"(?:one|a)[ -]hundred(?:[ -](?:and[ -])?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))?)"
)

RULES = (
    Rule("age_years", "AGE", re.compile(r"(?<![\d./+-])" + _OLD + _YEARS, _I)),
    Rule("age_words", "AGE", re.compile(r"\b" + _WORDS + r"[ -](?:years?|yrs?)[ -](?:old|of[ -]age)", _I)),
    Rule(
        "age_label",
        "AGE",
        re.compile(
            r"\b(?:aged?|age is|age of|turn(?:ed|ing|s))[ \t]{0,2}[:=]?[ \t]{0,3}" + _OLD + r"(?!%|/| ?(?:mg|ml))", _I
        ),
    ),
    Rule(
        "age_is",
        "AGE",
        re.compile(
            r"\b(?:is|was|i'?m|am|he'?s|she'?s|they'?re|turns?|now|almost|nearly|only)[ \t]"
            + _OLD
            + r"(?=[ \t]?(?:[,.;?!)\n]|and\b|but\b|now\b|with\b|$))(?![.,]\d)",
            _I,
        ),
    ),
    Rule("age_foreign", "AGE", re.compile(r"(?<![\d./+-])" + _OLD + r" (?:años|anos|ans|jahre)\b", _I)),
    Rule("age_sex", "AGE", re.compile(r"(?<![\d./+-])" + _OLD + r"(?=[ ]?(?:[MF]\b|male\b|female\b|[ywm]\.?o\b))")),
)
