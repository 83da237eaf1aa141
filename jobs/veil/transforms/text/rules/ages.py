"""Ages over 89: 164.514(b)(2)(i)(C). Younger ages are not identifiers."""

from __future__ import annotations

import re

from .rule import Rule

_I = re.IGNORECASE
_YEARS = r"(?:\.\d)?(?: ?\([a-z -]{5,20}\))?[ \n]?-?[ ]?(?:years?|yrs?\.?|y\.?/?o\.?|yo|yof|yom|y[fm]?)\b"
_OLD = r"(?P<id>9\d|1[0-3]\d)(?![\d+]|\.\d)"
_ANY = r"(?P<id>9\d|1[0-3]\d)(?![\d+])"
_WORDS = (
    r"(?P<id>ninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|"
    r"(?:one|a)[ -]hundred(?:[ -](?:and[ -])?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))?)"
)

_RELATIVE = (
    r"(?:grand)?(?:mother|father|ma|pa|mom|dad|parents?)|granny|nana|mom|dad|husband|wife|spouse|sister|brother|aunt|"
    r"uncle|cousin"
)
_WHO = (
    rf"he|she|they|i|you|who|patient|pt|{_RELATIVE}|lady|woman|man|gentleman|resident|"
    r"(?:mr|mrs|ms|miss)\.? [a-z][a-z'-]{1,30}"
)
"""Of whom a number behind "is" is the age; of a weight, a pulse or a laboratory value it is not."""

RULES = (
    Rule("age_years", "AGE", re.compile(r"(?<![\d./+-])" + _ANY + _YEARS, _I)),
    Rule(
        "age_range",
        "AGE",
        re.compile(r"(?<![\d./+-])" + _OLD + r"(?=(?: ?(?:-|to|and|or) ?)\d{2,3}" + _YEARS + ")", _I),
    ),
    Rule(
        "age_words", "AGE", re.compile(r"\b" + _WORDS + r"[ -](?:(?:years?|yrs?)[ -](?:old|of[ -]age)|y\.?/?o\b)", _I)
    ),
    Rule("age_label_words", "AGE", re.compile(r"\bage(?:d|:| of| is)?[ \t]{1,3}" + _WORDS + r"\b", _I)),
    Rule("age_coded", "AGE", re.compile(r"(?<![\d./+-])" + _OLD + r"(?= ?[wbhac][mf]\b)", _I)),
    Rule(
        "age_letter",
        "AGE",
        re.compile(
            r"(?<![\d./+-])" + _OLD + r"(?=[mf] (?:w/|with\b|s/p|c/o|p/w|here\b|presenting|admitted|who\b|from\b))"
        ),
    ),
    Rule(
        "age_when",
        "AGE",
        re.compile(
            r"\b(?:(?:dx|diagnosed|onset|menopause|died|death|age) at|at diagnosis:?|(?:he|she|they) (?:was|were)) "
            + _OLD
            + r"(?=[ \t]?(?:[,.;)\n]|when\b|at\b|and\b|$))(?![.,]\d)",
            _I,
        ),
    ),
    Rule(
        "age_label",
        "AGE",
        re.compile(
            r"\b(?:aged?|age is|age of|turn(?:ed|ing|s))(?: ?\((?:yrs?|years?)\))?[\"']?[ \t]{0,2}[:=]?[ \t]{0,3}"
            + _OLD
            + r"(?!%|/| ?(?:mg|ml))",
            _I,
        ),
    ),
    Rule(
        "age_is",
        "AGE",
        re.compile(
            r"\b(?:(?:"
            + _WHO
            + r")[ \t](?:is|was|am|are|will be|turns|turned)|i'?m|(?:he|she|they|you)'?(?:s|re|ll be))"
            r"[ \t](?:(?:now|almost|nearly|only|about)[ \t])?"
            + _OLD
            + r"(?=[ \t]?(?:[,.;?!)\n]|and\b|but\b|now\b|with\b|$))(?![.,]\d)",
            _I,
        ),
    ),
    Rule("age_foreign", "AGE", re.compile(r"(?<![\d./+-])" + _OLD + r" (?:años|anos|ans|jahre)\b", _I)),
    Rule(
        "age_sex", "AGE", re.compile(r"(?<![\d./+-])" + _OLD + r"(?=[ ]?/?[ ]?(?:[MF]\b|male\b|female\b|[ywm]\.?o\b))")
    ),
    Rule("sex_age", "AGE", re.compile(r"(?<![\w/])[MF]/" + _OLD + r"(?![/\w])")),
    Rule("age_birthday", "AGE", re.compile(r"\b(?P<id>9\d(?:st|nd|rd|th)?|1[0-3]\d(?:st|nd|rd|th)) birthday\b", _I)),
    Rule(
        "age_relative",
        "AGE",
        re.compile(rf"\b(?:{_RELATIVE})[ \t]?(?:\(|, ?|: ?|,? age )" + _OLD + r"(?=[ \t]?(?:[,.;)\n]|$))", _I),
    ),
    Rule(
        "age_of_relative",
        "AGE",
        re.compile(
            rf"\b(?:{_RELATIVE})[ \t]" + _OLD + r"(?=[ \t]?(?:[,;)\n]|alive|living|healthy|well|deceased|died|with|$))",
            _I,
        ),
    ),
    Rule(
        "age_at_death",
        "AGE",
        re.compile(
            r"\b(?:d\.|died|dec\.|deceased|passed(?: away)?|lived to(?: be)?|alive at)(?: at)?(?: age)?[ \t]"
            + _OLD
            + r"(?=[ \t]?(?:[,.;)\n]|of\b|from\b|after\b|with\b|in\b|and\b|$))(?![.,]\d)",
            _I,
        ),
    ),
    Rule(
        "age_is_words",
        "AGE",
        re.compile(
            rf"\b(?:(?:{_WHO})[ \t](?:is|was|am|are)|i'?m|(?:he|she|they|you)'?(?:s|re))[ \t]" + _WORDS + r"\b", _I
        ),
    ),
)
