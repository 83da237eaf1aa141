"""Numbers that identify: (G) to (M), (P), (R) of 164.514(b)(2)(i), by check digit or by the word before them."""

from __future__ import annotations

import base64
import re

from veil.contracts import Kind

from . import checksums
from .rule import Rule

_I = re.IGNORECASE
_JOINER = r"(?:[ \t]{0,2}(?:number|num|no\.?|nr\.?|id|code|#|is|was|:|=|-))"
_SPACE = r"[ \t]{0,3}\n?[ \t]{0,3}"
_CODE = (
    r"(?P<id>(?:[A-Z]{1,4}(?:-[A-Z]{1,2})? (?=\d))?(?=[A-Z0-9/,-]{0,12}\d)[A-Z0-9](?:[A-Z0-9/-]|"
    r",(?=\d{3})){1,29}(?: ?\d{2,6}){0,4})(?![\w]|\.\d)(?! ?"
    r"(?:mg|mcg|ml|g|kg|units?|mm|cm|hours?|days?|%))"
)
_NOT_A_CODE = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])[/-](?:0?[1-9]|[12]\d|3[01])[/-](?:\d\d){1,2}|(?:19|20)\d\d|"
    r"\d{2,3}/\d{2,3}|\d+ ?(?:mg|mcg|ml|g|kg|units?|mm|cm|x\d+)|(?:19|20)\d\d-\d\d"
    r"(?:-\d\d)?.{0,12}",
    _I,
)


def _code(text: str) -> bool:
    """Three digits or more that are no date, pressure or dose: those have their own rules."""
    return len(checksums.digits(text)) >= 3 and not _NOT_A_CODE.fullmatch(text)


_LONG_CODE = r"(?=[A-Z]{1,5}-?\d{4}|\d{6}|\d[\dA-Z]{0,5}-\d{3}|[A-Z0-9-]{0,8}\d[A-Z0-9-]{0,8}[A-Z][A-Z0-9-]{0,8}\d{3})"
"""So long, or of letters and digits, that a word which is not always a label is one."""


def _encoded(text: str) -> bool:
    """Tell base64 of a text from a long word: what it hides cannot be read, so that it does not stay."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return False
    printable = sum(32 <= byte < 127 or byte in (9, 10, 13) or byte >= 0xC0 for byte in decoded)
    mixed = any(char.isdigit() for char in text) or (text[1:] != text[1:].lower() and text != text.upper())
    return mixed and printable >= 0.9 * len(decoded)


def _labelled(name: str, kind: Kind, sure: str, plain: str = "(?!)") -> Rule:
    """Make the rule of a code behind a label; a `plain` word is one before "#", ":", "number" or a long code."""
    plain = rf"(?:{plain})(?![A-Z])(?:{_JOINER}{{1,4}}|(?={_SPACE}{_LONG_CODE}))"
    label = rf"(?:(?:{sure})(?![A-Z]){_JOINER}{{0,4}}|{plain})"
    return Rule(name, kind, re.compile(rf"(?<![A-Z0-9]){label}{_SPACE}{_CODE}", _I), _code)


RULES = (
    Rule("ssn", "SSN", re.compile(r"(?<![\w-])\d{3}([-. ])\d{2}\1\d{4}(?![\w-]|\.\d)"), checksums.ssn),
    Rule(
        "ssn_label",
        "SSN",
        re.compile(
            r"\b(?:ssn|ss ?#|soc(?:ial)?\.? ?sec(?:urity)?\.?(?: number| no\.?)?|social)\b[^\d\n]{0,20}"
            r"(?P<id>(?:\d{3}|[*x]{3})[- .]?(?:\d{2}|[*x]{2})[- .]?\d{4})(?!\d)",
            _I,
        ),
    ),
    Rule(
        "ssn_last4",
        "SSN",
        re.compile(r"\b(?:ssn|social)\b[^\d\n]{0,24}(?:\b4\b[^\d\n]{1,8})?\b(?P<id>\d{4})\b(?![-/])", _I),
    ),
    Rule(
        "account_end",
        "ACCOUNT",
        re.compile(
            r"\b(?:acc(?:oun)?t|card|visa|mastercard|amex|checking|savings)\b[^\n\d]{0,16}"
            r"\bend(?:s|ing)(?: in| with)? (?P<id>[x*]{0,4}\d{4})\b",
            _I,
        ),
    ),
    Rule("card", "ACCOUNT", re.compile(r"(?<![\w-])\d(?:[ -]?\d){11,18}(?![\w-])"), checksums.card),
    Rule(
        "iban",
        "ACCOUNT",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", _I),
        checksums.iban,
    ),
    Rule("vin", "VEHICLE", re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b", _I), checksums.vin),
    Rule("npi", "LICENSE", re.compile(r"(?<![\w.-])[12]\d{9}(?![\w-]|\.\d)"), checksums.npi),
    Rule("dea", "LICENSE", re.compile(r"\b[ABFGMPRX][A-Z9]\d{7}\b", _I), checksums.dea),
    _labelled(
        "mrn",
        "MRN",
        r"mrn|m\.r\.n\.|mr ?#|med(?:ical)?\.? ?rec(?:ord)?s?\.?|patient (?:id|number|no\.?|#)|"
        r"pt\.? ?(?:id|#)|chart ?(?:#|number|no\.?)",
        r"hospital|unit|patient|pt|pts|chart",
    ),
    _labelled(
        "health_plan",
        "HEALTH_PLAN",
        r"policy|rx ?(?:grp|group|bin|pcn|id)|member(?:ship)?|subscriber|beneficiary|medicare|medicaid|mbi|hicn|"
        r"ins(?:urance)?\.?",
        r"group|plan|payer|claim|authorization",
    ),
    _labelled("account", "ACCOUNT", r"acc(?:oun)?t\.?|a/c|routing|iban|invoice", r"billing|bank|card|credit card"),
    _labelled(
        "license",
        "LICENSE",
        r"badge|licen[cs]e|lic\.?|driver'?s? (?:licen[cs]e|lic)|d\.?l\.?|npi|dea|passport",
        r"cert(?:ificate|ification)?|permit|registration",
    ),
    _labelled("vehicle", "VEHICLE", r"(?:licen[cs]e )?plate|vin", r"tag|vehicle|registration|reg\.?|van|truck"),
    _labelled("device", "DEVICE", r"serial|s/n|sn|udi|imei", r"lot|device|model|pacemaker|implant|asset"),
    _labelled("biometric", "BIOMETRIC", r"fingerprint|voice ?print", r"iris|retinal? scan|biometric"),
    _labelled(
        "other_id",
        "ID",
        r"accession|acc ?#|(?:run|incident|prisoner|inmate|booking|alien|c-?file) ?(?:number|no\.?|#)|c-file|upin|"
        r"doc (?:number|no\.?|#)|"
        r"(?:kit|order|screening|file|tracking|case|claim|form|sample|specimen) (?:number|no\.?|#)|"
        r"csn|ein|itin|identifier|uuid|guid|confirmation|requisition",
        r"encounter|visit|specimen|case|order|fin|employee|student|study|subject|trial|ticket|"
        r"reference|ref|rx|prescription|tax|"
        r"national|identification|record|id|tracking",
    ),
    Rule("uuid", "ID", re.compile(r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])", _I)),
    Rule("oid", "ID", re.compile(r"(?<![\w.])[012](?:\.\d{1,39}){6,20}(?![\w.]*\d)")),
    Rule(
        "mbi",
        "HEALTH_PLAN",
        re.compile(
            r"\b[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d\d\b"
        ),
    ),
    Rule(
        "long_number",
        "ID",
        re.compile(
            r"(?<![\w.,$-])(?<!load )(?<!load: )(?<!load was )(?<!count )(?<!count was )"
            r"\d{7,30}(?![\w,%-]|\.\d| ?(?:copies|cells|units|iu|mg|ml|k?/))",
            _I,
        ),
        None,
        0.5,
    ),
    Rule(
        "mixed_code", "ID", re.compile(r"(?<![\w.-])(?!NCT\d{8}\b)[A-Z]{1,4}(?:-?\d{6,14}|-\d{5})(?![\w-])"), None, 0.5
    ),
    Rule(
        "code_groups",
        "ID",
        re.compile(
            r"(?<![\w.-])(?=[A-Z0-9-]{0,20}[A-Z])(?=(?:[A-Z-]{0,12}\d){5})"
            r"[A-Z0-9]{1,10}(?:-[A-Z0-9]{1,10}){1,4}(?: ?#\d{3,8})?(?![\w-])"
        ),
        None,
        0.5,
    ),
    Rule(
        "base64",
        "ID",
        re.compile(
            r"(?<![\w+/=])(?:[A-Za-z0-9+/]{4}){5,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|"
            r"[A-Za-z0-9+/]{2,3})?(?![\w+/=])"
        ),
        _encoded,
    ),
    Rule("digit_groups", "ID", re.compile(r"(?<![\w.,$/-])\d{2,4}-\d{2,4}-\d{3,6}(?![\w%-]|\.\d)"), None, 0.5),
    Rule("mixed_groups", "ID", re.compile(r"(?<![\w.-])[A-Z]{1,4}\d{0,6}(?:-\d{3,8}){2,5}(?![\w-])"), None, 0.5),
)
