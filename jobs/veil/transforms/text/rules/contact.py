"""How to reach somebody: (D) telephone, (E) fax, (F) e-mail, (N) URL, (O) IP address of 164.514(b)(2)(i)."""

from __future__ import annotations

import ipaddress
import re

import phonenumbers

from .checksums import digits
from .rule import Rule

_I = re.IGNORECASE
_EXTENSION = r"(?:[ ,;]{0,3}(?:x|ext\.?|extension)[ .:]{0,2}\d{1,6}\b(?!-\d))?"
_CALL = (
    r"\b(?:phone|telephone|tel|ph(?! ?[:=]? ?[67]\.\d)|call(?:ed|ing)?|cell(?:ular)?|"
    r"mobile|pager|beeper|contact|reach(?:ed)?|dial|text|sms|"
    r"voicemail|callback|hotline|whatsapp|home|work)\b"
)
_LEAD = (
    r"(?: ?(?:number|no\.?|nr\.?|#|at|is|on|me|him|her|us|back|the|office|"
    r"\(?[cwhm]\))){0,4}[ \t]{0,2}[:#=.-]?[ \t]{0,3}"
)
_LOOSE = r"(?P<id>\+?\(?\d[\d ().\-/]{5,20}\d)(?!\d)" + _EXTENSION
_DOMAINS = (
    "com|org|net|example|edu|gov|mil|info|biz|io|health|med|care|clinic|hospital|"
    "us|uk|ca|de|fr|es|it|nl|au|ch|co|me|eu|in|jp"
)


def _international(text: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse("+" + digits(text)))
    except phonenumbers.NumberParseException:
        return False


def _national(text: str) -> bool:
    """Numbers of other countries are written in groups of many shapes; a valid one, grouped, is a number to call."""
    if (
        not 9 <= len(digits(text)) <= 12
        or re.search(r"\d/\d{1,4}/\d|\d/(?:19|20)\d\d\b| [./] ", text)
        or not re.search(r"\d[ ()\-/.]+\d", text)
    ):
        return False
    for region in ("US", "GB", "AU", "DE", "FR", "ES"):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(text, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False


def _plausible(text: str) -> bool:
    return 7 <= len(digits(text)) <= 15


def _callable(text: str) -> bool:
    """Whether a number behind "called" can be one to call: a date is not."""
    return _plausible(text) and not re.match(r"\(?\d{1,2}([/.-])\d{1,2}\1(?:\d\d|\d{4})(?!\d)", text)


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return text not in ("::", "::1")


RULES = (
    Rule(
        "email",
        "EMAIL",
        re.compile(
            r"(?<![\w.+%-])(?:(?:[\w+%'-]{1,64} [._-] ){1,3}[\w.+%'-]{1,64} @ |[\w.+%'-]{1,64} ?@ ?)[\w-]{1,63}"
            rf"(?: ?\. ?(?:{_DOMAINS})|\.[\w-]{{1,63}}){{1,4}}\b",
            _I,
        ),
    ),
    Rule(
        "email_spelled",
        "EMAIL",
        re.compile(
            r"(?<![\w.+%-])[\w+%-]{1,40}(?:(?:\.| dot )[\w+%-]{1,40}){0,3} ?(?:[\[({<] ?at ?[\])}>]|\bat\b) ?"
            rf"[\w-]{{1,63}}(?: ?[\[({{<] ?dot ?[\])}}>] ?| dot | ?\.)(?:{_DOMAINS})\b",
            _I,
        ),
    ),
    Rule("url", "URL", re.compile(r"\b(?:https?|ftps?|sftp)://[^\s<>\"'\])]{1,2000}|\bwww\.[^\s<>\"'\])]{1,500}", _I)),
    Rule(
        "domain",
        "URL",
        re.compile(
            (
                rf"(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{{1,62}}\.){{1,4}}(?:{_DOMAINS})\b"
                rf"(?:/[^\s<>\"'\])]{{0,500}})?(?![\w@-])"
            ),
            _I,
        ),
    ),
    Rule("ipv4", "IP", re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)"), _address),
    Rule("ipv6", "IP", re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", _I), _address),
    Rule("mac", "DEVICE", re.compile(r"(?<![\w:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![\w:-])", _I)),
    Rule(
        "fax",
        "FAX",
        re.compile(r"\b(?:fax|facsimile|f(?=:))\b" + _LEAD + _LOOSE, _I),
        _plausible,
    ),
    Rule("phone_context", "PHONE", re.compile(_CALL + _LEAD + _LOOSE, _I), _callable),
    Rule(
        "phone_international",
        "PHONE",
        re.compile(r"(?<![\w+])(?:\+|00)\d[\d ().\-/]{6,22}\d(?!\d)" + _EXTENSION, _I),
        _international,
    ),
    Rule(
        "phone_us",
        "PHONE",
        re.compile(
            r"(?:(?<![\w.+-])|(?<=\bx))(?:1[ .-]?)?(?:\([2-9]\d\d\)[ .-]{0,2}|[2-9]\d\d[ ./-]{1,2})"
            r"\d{3}[ ./-]{1,2}\d{4}(?![\w/-]|\.\d)" + _EXTENSION,
            _I,
        ),
    ),
    Rule("phone_001", "PHONE", re.compile(r"(?<![\w.-])001-\d{3}-\d{3}-\d{4}(?!\d)" + _EXTENSION, _I)),
    Rule(
        "phone_extension",
        "PHONE",
        re.compile(r"(?<![\w.+-])\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]?\d{4} ?(?:x|ext\.?) ?\d{1,6}\b", _I),
    ),
    Rule(
        "extension",
        "PHONE",
        re.compile(
            r"\b(?:ext|extension|pager|pgr|beeper|bpr)\b\.?(?: ?(?:#|:|no\.?|number|is)){0,2} ?\d{0,2}-?\d{3,6}"
            r"(?![\w%-]|\.\d)|"
            r"(?<![\w.])x\d{4,6}(?![\w%-]|\.\d)",
            _I,
        ),
    ),
    Rule(
        "phone_local",
        "PHONE",
        re.compile(r"(?<![\w.$/-])[2-9]\d\d-\d{4}(?![\w-]|\.\d| ?(?:hz|k?cal|units?|mg|ml|steps)\b)", _I),
    ),
    Rule(
        "phone_national",
        "PHONE",
        re.compile(r"(?<![\w.+-])\(?\d{2,5}\)?[ .\-/]\d[\d ()\-/.]{4,13}\d(?![\w-]|\.\d)"),
        _national,
        0.5,
    ),
)
