"""Numbers and dates in words, as they are spoken: "march third", "five five five zero one four two"."""

from __future__ import annotations

import re

from .rule import Rule

_I = re.IGNORECASE
_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_ORDINAL = (
    r"(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth|"
    r"thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth"
)
_CARDINAL = (
    r"(?:twenty|thirty)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|one|two|three|four|five|six|seven|"
    r"eight|nine|ten|"
    r"eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
)
_YEAR = (
    r"(?:,? (?:of )?(?:(?:nineteen|twenty)[ -](?:oh[ -]\w{3,5}|(?:ten|eleven|twelve|\w{3,5}teen|twenty|thirty|forty|"
    r"fifty|sixty|"
    r"seventy|eighty|ninety)(?:[ -]\w{3,5})?)|two thousand(?: and)?(?: \w{3,9}){0,2}|(?:19|20)\d\d))?"
)
_NOT_A_DAY = (
    r"(?! (?:degree|trimester|line|dose|time|generation|cranial|rib|metatarsal|toe|finger|opinion|attempt|floor|"
    r"visit|grade|day|"
    r"week|of all|thing|stage))"
)
_UNITS = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_NINETIES = rf"ninety(?:[ -]{_UNITS})?|(?:one|a) hundred(?: and)?(?: {_UNITS})?"
RULES = (
    Rule("phone_spelled", "PHONE", re.compile(rf"\b{_DIGIT}(?:[ ,-]{{1,2}}{_DIGIT}){{6,14}}\b", _I), None, 0.9),
    Rule(
        "number_spelled",
        "ID",
        re.compile(
            rf"\b(?:number|social|ssn|mrn|account|member|policy|zip(?: code)?|pin|code)(?: (?:is|was|number|of|its|"
            rf"ends|ending|in|with|it's))"
            rf"{{0,4}} (?P<id>{_DIGIT}(?:[ ,-]{{1,2}}{_DIGIT}){{3,14}})\b",
            _I,
        ),
        None,
        0.9,
    ),
    Rule(
        "month_ordinal", "DATE", re.compile(rf"\b{_MONTH} (?:the )?(?:{_ORDINAL})\b{_NOT_A_DAY}{_YEAR}", _I), None, 0.9
    ),
    Rule(
        "month_cardinal",
        "DATE",
        re.compile(rf"\b(?!may |march ){_MONTH} (?:{_CARDINAL})\b(?! (?:times|years|months|weeks|days|of)){_YEAR}", _I),
    ),
    Rule(
        "ordinal_month", "DATE", re.compile(rf"\b(?:the )?(?:{_ORDINAL})(?: day)? of {_MONTH}\b{_YEAR}", _I), None, 0.9
    ),
    Rule(
        "ordinal_alone",
        "DATE",
        re.compile(
            rf"\b(?:on|until|by|since|before|after|til|till|"
            rf"from) (?P<id>the (?:{_ORDINAL}))\b{_NOT_A_DAY}(?= ?(?:[,.;?!\n]|at|for|and|with|to|in|so|because|$))",
            _I,
        ),
        None,
        0.9,
    ),
    Rule(
        "age_spelled",
        "AGE",
        re.compile(
            rf"\b(?:is|was|i'm|am|he's|she's|they're|turned|turns|turning|age|aged|now|almost|nearly)(?: now|"
            rf" almost| nearly| about)? (?P<id>{_NINETIES})"
            rf"\b(?! ?(?:percent|%|over|milligram|mg|milliliter|ml|degrees?|pounds?|kilos?|beats|and a half|dollars|"
            rf"minutes|seconds|hours|days|weeks|six|units|five over))",
            _I,
        ),
        None,
        0.9,
    ),
    Rule(
        "age_at_death",
        "AGE",
        re.compile(
            r"\b(?:died|passed(?: away)?|deceased|lived|d\.)[^.;\n]{0,40}?\b(?:at|to|aged)(?: age)? (?P<id>9\d|"
            r"1[01]\d)(?![\d%]|[.,]\d)",
            _I,
        ),
        None,
        0.9,
    ),
)
