"""What still identifies somebody in published text, by patterns of the gate's own.

Nothing here is shared with the anonymizer: a pattern that both used would fail in both. Every quantifier is bounded, so
that the time is linear in the length of the text.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from veil.contracts import Kind, Profile
from veil.detect import dates
from veil.detect.words import everyday, never_after_title
from veil.surrogates import pattern

Severity = Literal["critical", "report"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How bad a hit of a rule is, and what it means to the person who reads the report."""

    severity: Severity
    description: str


RULES: dict[str, Rule] = {
    "ssn": Rule("critical", "social security or taxpayer number"),
    "phone": Rule("critical", "telephone or fax number"),
    "email": Rule("critical", "e-mail address"),
    "url": Rule("critical", "web address"),
    "ip": Rule("critical", "IP address"),
    "device-address": Rule("critical", "hardware (MAC) address"),
    "coordinates": Rule("critical", "pair of coordinates finer than about 10 m"),
    "date-finer-than-year": Rule("critical", "date with a month or a day"),
    "age-over-89": Rule("critical", "age over 89 that is not grouped"),
    "name-after-title": Rule("critical", "name after a title such as Mr. or Dr."),
    "name-after-label": Rule("critical", "name after a label such as Patient: or Signed by"),
    "name-before-credential": Rule("critical", "name before a credential such as MD or RN"),
    "id-after-label": Rule("critical", "number after a label such as MRN, account or licence"),
    "street": Rule("critical", "street address or PO box"),
    "zip-plus-city": Rule("critical", "city, state and postal code"),
    "vin": Rule("critical", "vehicle identification number with a valid check digit"),
    "card": Rule("critical", "payment card number with a valid check digit"),
    "control-character": Rule("critical", "control characters: text of another encoding reads as gaps between letters"),
    "compact-date": Rule("report", "eight digits that read as a date"),
    "long-number": Rule("report", "nine digits or more without a label"),
}

_TAG = re.compile(rf"\[(?:{'|'.join(get_args(Kind))}|REDACTED)(?:[-_ :#]?\d{{1,4}})?\]")
_WORD = r"[A-Z][a-z'’]{1,24}(?:-[A-Z][a-z]{1,24})?"
_UPPER = r"[A-Z][A-Z'’-]{2,24}"
_STATE = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|"
    "PA|PR|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)
_SUFFIX = "Street|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Court|Ct|Place|Pl|Terrace|Parkway|Pkwy|Highway|Hwy|Way|St"
_NOT_A_STREET = (
    r"(?!(?:AM|PM|Day|Week|Month|Year|Hour|Times|View|January|Jan|February|Feb|March|April|May|June|July|August)s?\b)"
)

_SSN = re.compile(r"(?<![\d-])(?!000|666)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\d-])")
_PHONE = re.compile(
    r"(?<![\w.\-/])(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d([ .-]))[2-9]\d\d(?:\1|-)\d{4}(?!\d|[.-]\d)"
)
_PHONE_WORLD = re.compile(r"(?<![\w+])(?:\+|\b00)[1-9]\d{0,2}(?:[ .()-]{0,2}\d){7,12}(?!\d)")
_PHONE_TRUNK = re.compile(r"(?<![\w.,/-])0\d{1,4}([ .-])\d{2,4}(?:\1\d{2,4}){1,4}(?![\w/-]|[.,]\d)")
_PHONE_LABEL = re.compile(
    r"\b(?:phone|tel|telephone|cell|mobile|fax|pager|beeper|call(?:ed|back)?)\b(?:[^\w\n]|no\b|number\b|is\b|at\b|#){0,8}"
    r"(?:\d[ .()-]{0,2}){6,14}\d(?!\d)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.[A-Za-z]{2,24}\b")
_URL = re.compile(
    r"\b(?:https?|ftp|file)://\S|\bwww\.\w|(?<![\w@.-])[a-z0-9-]{2,63}\.(?:com|org|net|edu|gov|health)\b", re.IGNORECASE
)
_IP4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]\d)")
_IP6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
_COORDINATES = re.compile(r"(?<![\d.])-?\d{1,2}\.\d{4,12}°?\s?[NS]?\s?[,;/]\s?-?\d{1,3}\.\d{4,12}")
_AGE = re.compile(
    r"\b(?:9\d|1[0-3]\d)(?:\.\d)?[ -]?(?:years?|yrs?|y)\b\.?[ -/]?(?:old|of age|o\b|man\b|woman\b|male\b|female\b)"
    r"|\b(?:9\d|1[0-3]\d) ?(?:yo|y\.o\.)|\bage[d:]{0,2} (?:is |of )?(?:9\d|1[0-3]\d)\b"
    r"(?!\+| ?(?:or|and|years? or) (?:old|above|over)| ?%)"
    r"|\bninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?[ -]years?[ -]old",
    re.IGNORECASE,
)
_TITLE = re.compile(
    rf"\b(?:(?:M[rsx]|Mrs|Dr|Prof|Rev)\.?|MRS?\.|DR\.|MS\.)[ \t]{{1,3}}(?:[A-Z]\.?[ \t]+)?({_WORD}|{_UPPER}(?![a-z\d]))"
)
_ROLE = re.compile(rf"\b(?:Doctor|Miss|Nurse|Professor|Sister|Father|Judge|Officer|Uncle|Aunt)[ \t]+({_WORD})")
_LABEL = re.compile(
    rf"\b(?:(?:[Pp]atient|PATIENT|[Pp]t)(?:'s)?(?: [Nn]ame| NAME)?|[Nn]ame|NAME|[Aa]ttending|[Pp]rovider|"
    r"[Pp]hysician|PCP|[Ss]urgeon|[Aa]uthor|(?:[Ss]igned|[Dd]ictated|[Rr]eferred|[Rr]eviewed|[Tt]ranscribed) [Bb]y|"
    rf"[Nn]ext of [Kk]in|[Ee]mergency [Cc]ontact|[Gg]uardian|[Mm]other|[Ff]ather|[Ss]pouse)[ \t]{{0,3}}[:=][ \t]{{0,3}}"
    rf"({_WORD}|{_UPPER}),?[ \t]{{1,2}}(?:[A-Z]\.?[ \t])?({_WORD}|{_UPPER})"
)
_CREDENTIAL = re.compile(
    rf"\b({_WORD}) (?:[A-Z]\.? )?({_WORD}),? "
    r"(?:MD|M\.D\.|DO|D\.O\.|RN|NP|APRN|PA-C|PhD|Ph\.D\.|DDS|LCSW|PharmD)(?![\w-])"
)
_ID = re.compile(
    r"\b(?:MRN|SSN|HICN|MBI|NPI|DEA|medical record|health record|chart|account|acct|member|subscriber|beneficiary|"
    r"policy|patient|license|licence|passport|accession|serial|medicare|medicaid|device|insurance|record)\b[ ]?"
    r"(?:number|num\b|no\b\.?|nr\b\.?|id\b|identifier|#)?[ ]?(?:is |was |[:#=] ?){0,2}"
    r"([A-Z]{0,4}-?\d[A-Z0-9]{0,12}(?:[-.][A-Z0-9]{1,12}){0,4})(?![\w/%])",
    re.IGNORECASE,
)
_STREET = re.compile(
    rf"\b\d{{1,6}}[A-Z]?,? (?:(?:[NSEW]{{1,2}}|North|South|East|West)\.? )?{_NOT_A_STREET}"
    rf"(?:(?:[A-Z][a-z'’.]{{1,24}}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}"
    rf"(?:{_SUFFIX}|Drive|Circle|Square|Dr(?!\.? ?[A-Z\[]))\b"
    r"|\b\d{1,6} (?:[A-Z]{2,24} ){1,3}(?:STREET|AVENUE|AVE|ROAD|BOULEVARD|BLVD|LANE|COURT|DRIVE|PARKWAY|HIGHWAY)\b"
    r"|\bP\.? ?O\.? ?[Bb](?:ox|OX) \d{1,7}"
)
_ZIP = re.compile(rf"\b(?:[A-Z][a-z]{{1,24}}|[A-Z]{{3,24}}),? (?:{_STATE})\.?,? \d{{5}}(?:-\d{{4}})?(?!\d)")
_VIN = re.compile(r"\b(?=[A-HJ-NPR-Z]*\d)(?=\d*[A-HJ-NPR-Z])[A-HJ-NPR-Z\d]{17}\b")
_CARD = re.compile(
    r"(?<![\d.-])(?:(?:3[47]|4\d|5[0-8]|6\d|2[2-7])\d\d([ -])\d{4}\1\d{4}\1\d{4}"
    r"|(?:3[47])\d\d[ -]\d{6}[ -]\d{5}|(?:[3-6]\d|2[1-7]|18)\d{11,17})(?![\d.-]\d|\d)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LONG = re.compile(r"(?<![\w.])\d{9,20}(?![\w.])")


def leaks(text: str, *, profile: Profile) -> list[str]:
    """Name the rules that still see an identifier in published text (45 CFR 164.514(b)(2)(i)).

    Parameters
    ----------
    text
        Published text; typed tags such as ``[NAME]`` and invented names are taken for what they are.
    profile
        Under ``expert`` dates are shifted and may stand.

    Returns
    -------
    list of str
        Keys of `RULES`, sorted; empty for clean text.
    """
    text = _surrogates().sub("■", _TAG.sub("■", _plain(text)))
    found = {rule for rule, sees in _DETECTORS.items() if sees(text)}
    if profile == "safe_harbor":
        found |= {rule for rule, sees in _DATES.items() if sees(text)}
    return sorted(found)


@cache
def _surrogates() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern()})\b", re.IGNORECASE)


def _plain(text: str) -> str:
    """Take away what only looks different: invisible characters, other blanks and hyphens (Unicode TR 36)."""
    if text.isascii():
        return text
    visible = (char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return "".join("-" if unicodedata.category(char) == "Pd" else char for char in visible)


def _any(pattern: re.Pattern[str], valid: Callable[[re.Match[str]], bool]) -> Callable[[str], bool]:
    return lambda text: any(valid(match) for match in pattern.finditer(text))


def _seen(*patterns: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: any(pattern.search(text) for pattern in patterns)


def _address(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return not address.is_unspecified


def _ipv6(match: re.Match[str]) -> bool:
    # "::" alone and ratios such as 1::2 are punctuation
    return len(match[0].replace(":", "")) >= 5 and _address(match)


def _vin(match: re.Match[str]) -> bool:
    """Check digit of 49 CFR 565.15: letters count as their place in the alphabet, folded to 1-9."""
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    code = match[0]
    total = sum(w * (int(c) if c.isdigit() else values[c]) for w, c in zip(weights, code, strict=True))
    return code[8] == "0123456789X"[total % 11]


def _luhn(match: re.Match[str]) -> bool:
    """Check digit of ISO/IEC 7812-1."""
    digits = [int(c) for c in match[0] if c.isdigit()][::-1]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0


def _long_enough(match: re.Match[str]) -> bool:
    return 9 <= sum(c.isdigit() for c in match[0]) <= 11  # a date has eight


def _titled(match: re.Match[str]) -> bool:
    return match[1].lower() not in never_after_title()


def _rare(match: re.Match[str]) -> bool:
    return any(word and word.lower().replace("’", "'") not in everyday() for word in match.groups())


def _identifier(match: re.Match[str]) -> bool:
    digits = sum(c.isdigit() for c in match[1])
    return digits >= 5 and not dates.finer_than_year(match[1])


_DETECTORS: dict[str, Callable[[str], bool]] = {
    "ssn": _seen(_SSN),
    "phone": lambda text: _seen(_PHONE, _PHONE_WORLD, _PHONE_LABEL)(text) or _any(_PHONE_TRUNK, _long_enough)(text),
    "email": _seen(_EMAIL),
    "url": _seen(_URL),
    "ip": lambda text: _any(_IP4, _address)(text) or _any(_IP6, _ipv6)(text),
    "device-address": _seen(_MAC),
    "coordinates": _seen(_COORDINATES),
    "age-over-89": _seen(_AGE),
    "name-after-title": lambda text: _any(_TITLE, _titled)(text) or _any(_ROLE, _rare)(text),
    "name-after-label": _any(_LABEL, _rare),
    "name-before-credential": _any(_CREDENTIAL, _rare),
    "id-after-label": _any(_ID, _identifier),
    "street": _seen(_STREET),
    "zip-plus-city": _seen(_ZIP),
    "vin": _any(_VIN, _vin),
    "card": _any(_CARD, _luhn),
    "control-character": _seen(_CONTROL),
    "long-number": _seen(_LONG),
}
_DATES: dict[str, Callable[[str], bool]] = {
    "date-finer-than-year": dates.finer_than_year,
    "compact-date": dates.compact,
}
