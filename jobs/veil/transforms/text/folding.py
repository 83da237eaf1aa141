"""Read a text as a person sees it: without accents, look-alike letters and invisible characters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаесіјорѕухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναι‘’ʼ´`“”‐‑‒–—−łŁøØđĐıß",
    "ABESIJKMHOPCTYXaecijopsyxhdqwABEZHIKMNOPTYXovai'''''\"\"------lLoOdDis",
)


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
    return "".join(part for part in plain if not unicodedata.combining(part)).translate(_LOOKALIKES)


def fold(text: str) -> Folded:
    """Fold a text to the form that every detector reads.

    Returns
    -------
    Folded
        Compatibility forms, accents, look-alikes from Cyrillic and Greek, foreign digits, typographic quotes and
        dashes become plain; format and combining characters disappear.
    """
    if text.isascii():
        return Folded(text, None)
    parts = [_fold(char) if ord(char) > 127 else char for char in text]
    if all(len(part) == 1 for part in parts):
        return Folded("".join(parts), None)
    at = [index for index, part in enumerate(parts) for _ in part]
    at.append(len(text))
    return Folded("".join(parts), tuple(at))
