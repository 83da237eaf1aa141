"""Search tokens: the common form in which a known identifier and its spelling in a text meet.

`known_tokens` of an identifier and `tokens` of a text share an element when the text holds the identifier in one of its
usual spellings, so that finding 10 million known values in a table is one hash join.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator

from veil.contracts import Kind
from veil.detect import dates
from veil.detect.words import everyday

_MIN_ID = 6
"""Letters and digits that an identifier needs: shorter ones collide with everyday numbers."""
_MIN_SPACED = 9
"""The same for one written with blanks or dots in it: shorter ones collide with rows of measurements."""
_MAX_ID = 128
_MAX_PIECES = 6

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_PIECE = re.compile(r"[^\W_]+")
_NAME_PIECE = re.compile(r"([^\W\d_]+)\d*")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’`](?=[^\W\d_])")
_EMAIL = re.compile(r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_WEB = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}\b(?::\d{1,5})?(?:/[^\s\"'<>]{0,2000})?")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:])")
_HOUSE = re.compile(
    r"\b(\d{1,6}[a-z]?)(?:[\s,.-]{1,3}(?:[nsew]{1,2}|north|south|east|west)\b\.?)?"
    r"[\s,]{1,2}((?:\d{1,3}(?=st|nd|rd|th))?[^\W\d_]+)(?:[\s.-]{1,2}([^\W\d_]+))?"
)

_PARTICLE = (
    "de del la las los le da das do dos di du van von der den ter ten bin ibn al el und zu san st jr sr ii iii iv "
    "md rn np phd mr mrs ms miss mx dr prof"
)
_PARTICLES = frozenset(_PARTICLE.split())
"""Words that stand in some spellings of a name and not in others."""
_STREET = (
    "st=street ave=avenue av=avenue rd=road blvd=boulevard ln=lane ct=court pl=place dr=drive pkwy=parkway "
    "hwy=highway ter=terrace sq=square cir=circle"
)
_STREETS = dict(pair.split("=") for pair in _STREET.split())
"""Suffix of a street to the word that it is short for."""


def tokens(text: str) -> set[str]:
    """Everything in a text that a known identifier can be compared with.

    Parameters
    ----------
    text
        Published text.

    Returns
    -------
    set of str
        Words, pairs of neighbouring words in the order of a name, identifiers without separators, dates as
        ``yyyymmdd``, e-mail and web addresses, house numbers with their street.
    """
    folded = _fold(text)
    found = set(_words(folded)) | set(_identifiers(folded)) | set(dates.full(folded)) | set(_houses(folded))
    found.update(match[0] for match in _EMAIL.finditer(folded))
    found.update(_bare_url(match[0]) for match in _WEB.finditer(folded))
    found.update(match[0] for match in _ADDRESS.finditer(folded))
    return found


def known_tokens(kind: Kind, value: str) -> set[str]:
    """What to look for in published text to find one known identifier.

    A name is looked for as given name and family name, or first and last part; a single part only when it has six
    letters and is no everyday word. A result without a blank in it can still be a stranger's name or number, so compare
    it within one subject.

    Parameters
    ----------
    kind
        Kind of the identifier.
    value
        Its value, as `veil.contracts.KnownIdentifier` has it.

    Returns
    -------
    set of str
        Tokens in the form of `tokens`; empty when the value has no form that is rare enough to search for.
    """
    folded = _fold(value)
    match kind:
        case "NAME":
            return _known_name(folded)
        case "ORGANIZATION":
            words = [match[1] for match in _NAME_PIECE.finditer(folded)]
            return {" ".join(words[:3])} if len(words) >= 2 else {w for w in words if _is_rare(w)}
        case "LOCATION":
            return _known_place(folded)
        case "DATE":
            return set(dates.full(folded))
        case "EMAIL":
            return {folded.strip()} if "@" in folded else set()
        case "URL":
            return {_bare_url(match[0]) for match in _WEB.finditer(folded)}
        case "IP":
            return {folded.strip()}
        case "PHONE" | "FAX":
            return _known_phone(folded)
        case "AGE" | "BIOMETRIC" | "PHOTO":
            return set()
        case _:
            joined = "".join(_PIECE.findall(folded))
            return {joined} if _MIN_ID <= len(joined) <= _MAX_ID else set()


def _fold(text: str) -> str:
    """Lower case without diacritics and what is invisible; apostrophes within words go, so O'Brien is one word."""
    if text.isascii():
        return _APOSTROPHE.sub("", text.lower())
    seen = (c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    plain = "".join("-" if unicodedata.category(c) == "Pd" else c for c in seen if unicodedata.category(c) != "Cf")
    return _APOSTROPHE.sub("", plain.translate(_LETTERS))


def _words(folded: str) -> Iterator[str]:
    recent: list[str] = []
    end = 0
    for match in _NAME_PIECE.finditer(folded):
        word = match[1]
        yield word
        gap = folded[end : match.start()]
        if len(gap) > 3 or any(c.isalnum() or c == "\n" for c in gap):
            recent = []
        end = match.end()
        if len(word) == 1 or word in _PARTICLES:
            continue
        if recent:
            yield f"{recent[-1]} {word}"
            if "," in gap:
                yield f"{word} {recent[-1]}"
        if len(recent) == 2:
            yield f"{recent[0]} {recent[1]} {word}"
        recent = [*recent[-1:], word]


def _identifiers(folded: str) -> Iterator[str]:
    pieces = [(match.start(), match.end()) for match in _PIECE.finditer(folded)]
    for first, (start, end) in enumerate(pieces):
        joined = folded[start:end]
        spaced = False
        yield from _forms(joined, spaced)
        for next_start, next_end in pieces[first + 1 : first + _MAX_PIECES]:
            gap = folded[end:next_start]
            digits = joined.isdigit() and folded[next_start:next_end].isdigit()
            if len(gap) > (3 if digits else 1) or not all(c in (" ().-/" if digits else "-./_") for c in gap):
                break
            spaced = spaced or gap != "-"
            joined += folded[next_start:next_end]
            if len(joined) > _MAX_ID:
                break
            end = next_end
            yield from _forms(joined, spaced)


def _forms(joined: str, spaced: bool) -> Iterator[str]:
    if len(joined) >= (_MIN_SPACED if spaced else _MIN_ID) and any(c.isdigit() for c in joined):
        yield joined
        if len(joined) == 11 and joined[0] == "1" and joined.isdigit():
            yield joined[1:]  # a North American telephone number with its country code


def _houses(folded: str) -> Iterator[str]:
    for match in _HOUSE.finditer(folded):
        yield f"{match[1]} {match[2]}"
        if match[3]:
            yield f"{match[1]} {match[2]} {_STREETS.get(match[3], match[3])}"


def _known_name(folded: str) -> set[str]:
    words = [match[1] for match in _NAME_PIECE.finditer(folded)]
    words = [word for word in words if len(word) > 1 and word not in _PARTICLES]
    found = {f"{first} {second}" for first, second in itertools.pairwise(words)}
    if len(words) > 1:
        found |= {f"{words[0]} {words[-1]}", f"{words[-1]} {words[0]}"}
    return found | {word for word in words if _is_rare(word)}


def _known_place(folded: str) -> set[str]:
    houses = list(_houses(folded))
    if houses:
        return {max(houses, key=len)}
    words = [match[1] for match in _NAME_PIECE.finditer(folded)]
    return {word for word in words if len(words) == 1 and _is_rare(word)} | set(_known_postcode(folded))


def _known_postcode(folded: str) -> Iterator[str]:
    joined = "".join(_PIECE.findall(folded))
    if len(joined) >= _MIN_ID and any(c.isdigit() for c in joined):
        yield joined


def _known_phone(folded: str) -> set[str]:
    digits = re.sub(r"\D", "", re.split(r"ext|x|;", folded)[0])
    national = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    return {national} if len(national) >= _MIN_ID else set()


def _bare_url(url: str) -> str:
    return url.removeprefix("www.").rstrip("/.,;)")


def _is_rare(word: str) -> bool:
    return len(word) >= _MIN_ID and word not in everyday()
