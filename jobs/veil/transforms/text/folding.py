"""Read a text as a person sees it: without accents, look-alike letters and invisible characters."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаесіјорѕухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναι‘’ʼ´`“”‐‑‒–—−łŁøØđĐıß",
    "ABESIJKMHOPCTYXaecijopsyxhdqwABEZHIKMNOPTYXovai'''''\"\"------lLoOdDis",
)

_TAGS = (
    "a|b|big|br|body|center|code|div|em|font|h[1-6]|head|hr|html|i|li|ol|p|pre|s|small|span|strong|sub|sup|table|td|"
    "th|tr|tt|u|ul|wbr"
)
"""Tags alone: what stands among their attributes is text, and may name somebody."""
_PLAIN = (
    r"(?P<entity>&(?:(?:#\d{2,10}|#[xX][0-9a-fA-F]{2,8});?|[A-Za-z]{2,8};))|"
    rf"(?P<tag>(?:</?(?i:{_TAGS})\s?/?>){{1,20}})|"
    r"(?P<bullet>(?<=\d)[•·∙⋅](?=\d))|"
    r"(?P<broken>(?<=[A-Za-z]{2})-\r?\n(?=[a-z]))|(?P<number>(?<=\d)-\r?\n(?=\d))|"
    r"(?P<digit>(?<=[A-Za-z])[015](?=[a-z]{2}))"
)
_MARKUP = re.compile(_PLAIN + r"|(?P<escaped>\\[nrt](?=[A-Z0-9 \\\-]|$))")
_RTF = re.compile(
    r"(?P<hex>\\'[0-9a-fA-F]{2})|\\u(?P<unicode>(?P<code>-?\d{1,5}))\??|(?P<word>\\[a-z]{1,20}-?\d{0,6} ?)|"
    r"(?P<brace>[{}])|" + _PLAIN
)
_BREAKS = ("\\par", "\\line", "\\tab", "\\cell", "\\row", "\\sect", "\\page")
_MOST_LETTERS = 4
"""How many letters one character may stand for: an Arabic ligature stands for 18."""
_BLOCK = re.compile(r"</?(?:br|p|div|li|tr|td|th|h[1-6]|table|ul|ol|body|html|head)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and where each of its characters stands in the original.

    Parameters
    ----------
    text
        The folded text.
    at
        For each folded character the offset of its original, and the length of the original at the end; None where
        both texts have the same offsets.
    """

    text: str
    at: tuple[int, ...] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Translate a range of the folded text to the original, with the invisible characters inside it."""
        if self.at is None or start >= end:
            return start, end
        return self.at[start], max(self.at[end], self.at[end - 1] + 1)


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    if char in "\N{FRACTION SLASH}\N{DIVISION SLASH}":
        return "/"
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me") or char == "\N{COMBINING GRAPHEME JOINER}":
        return ""
    if category == "Zs":
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if char in "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
        return "\n"
    plain = unicodedata.normalize("NFKD", char.translate(_LOOKALIKES))
    kept = "".join(part for part in plain if not unicodedata.combining(part))
    return kept[:_MOST_LETTERS].translate(_LOOKALIKES)


def fold(text: str) -> Folded:
    """Fold a text to the form that every detector reads.

    Returns
    -------
    Folded
        Compatibility forms, accents, look-alikes from Cyrillic and Greek, foreign digits, typographic quotes and
        dashes become plain; format and combining characters disappear; entities and tags of HTML, escapes of RTF, words
        broken at a line's end, and digits that a scan put for letters become what they stand for.
    """
    pieces = _unmarked(text)
    if pieces is None and text.isascii():
        return Folded(text, None)
    parts: list[str] = []
    at: list[int] = []
    for start, piece in pieces or ((0, text),):
        # what markup stands for has one place in the original, a plain piece one for each character
        step = 0 if isinstance(piece, _Standing) else 1
        for index, char in enumerate(piece):
            folded = _fold(char) if ord(char) > 127 else char
            parts.append(folded)
            at.extend([start + index * step] * len(folded))
    at.append(len(text))
    if pieces is None and len(at) == len(text) + 1 and all(len(part) == 1 for part in parts):
        return Folded("".join(parts), None)
    return Folded("".join(parts), tuple(at))


class _Standing(str):
    """What a piece of markup stands for."""

    __slots__ = ()


def _unmarked(text: str) -> list[tuple[int, str]] | None:
    """Split a text into plain pieces and what markup in it stands for, with their offsets; None where it has none."""
    pattern = _RTF if "\\rtf" in text[:200] else _MARKUP
    pieces: list[tuple[int, str]] = []
    end = 0
    for match in pattern.finditer(text):
        pieces.append((end, text[end : match.start()]))
        pieces.append((match.start(), _Standing(_meaning(match))))
        end = match.end()
    return [*pieces, (end, text[end:])] if pieces else None


def _meaning(match: re.Match[str]) -> str:
    """Give the characters that an entity, a tag, an escape or a broken word stands for."""
    written, kind = match[0], match.lastgroup
    if kind == "entity":
        return html.unescape(written)
    if kind == "tag":
        if _BLOCK.search(written):
            return "\n"
        return " " if _parts(match) else ""
    if kind == "escaped":
        return "\n"
    if kind == "hex":
        return bytes([int(written[2:], 16)]).decode("cp1252", "replace")
    if kind == "unicode":
        code = int(match["code"]) % 0x10000  # half of a pair (UTF-16) is no character
        return chr(code) if not 0xD800 <= code <= 0xDFFF else "\N{REPLACEMENT CHARACTER}"
    if kind == "word":
        return "\n" if written.startswith(_BREAKS) else ""
    if kind == "digit":
        return {"0": "o", "1": "l", "5": "s"}[written]
    return "-" if kind in ("number", "bullet") else ""


def _parts(match: re.Match[str]) -> bool:
    """Tell whether markup within a line parts two words, "<b>Name</b>Smith", or stands in one, "<b>S</b>mith"."""
    text = match.string
    before, after = text[max(0, match.start() - 3) : match.start()], text[match.end() : match.end() + 1]
    if not before or not after or not (before[-1].isalnum() and after.isalnum()):
        return False
    if before[-1].isdigit() != after.isdigit() or (before[-1].islower() and after.isupper()):
        return True
    return len(before) == 3 and before.isalpha() and before.isupper() and after.isupper() and "</" in match[0]
