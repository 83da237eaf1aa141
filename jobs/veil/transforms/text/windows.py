"""Which parts of a text the models have to read.

A sentence whose every word is ordinary English or medicine, and no part of a name, has nothing that arbitration would
let through: reading it with a model would change nothing but the time it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from .words import WORD, Lexicon

WIDTH = 480
"""Characters that the classifier detects best in."""
_END = re.compile(r"(?<=[.!?:;])\s{1,20}(?=\S)|\n{1,20}")
_TITLE = re.compile(r"\b(?:(?:dr|mr|mrs|ms|miss|prof)\b|(?:doctor|nurse|named?|called) [a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d .-]{4,30}\d")


def windows(text: str, words: Lexicon) -> list[tuple[int, int]]:
    """Choose the windows, each of `WIDTH` characters at most.

    Parameters
    ----------
    text
        A folded text.
    words
        The word lists.

    Returns
    -------
    list of (int, int)
        Sorted half-open ranges. Each begins and ends at a sentence or, in a longer sentence, at a space.
    """
    chosen: list[tuple[int, int]] = []
    previous: tuple[int, int] | None = None
    for start, end in _pieces(text):
        if _suspicious(text[start:end], words):
            if chosen and end - chosen[-1][0] <= WIDTH:
                chosen[-1] = (chosen[-1][0], end)
            elif previous and (not chosen or previous[0] >= chosen[-1][1]) and end - previous[0] <= WIDTH // 2:
                chosen.append((previous[0], end))
            else:
                chosen.append((start, end))
        previous = (start, end)
    return chosen


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        yield from _cut(text, start, match.end())
        start = match.end()
    yield from _cut(text, start, len(text))


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > WIDTH:
        space = text.rfind(" ", start + WIDTH // 2, start + WIDTH)
        cut = space + 1 if space > 0 else start + WIDTH
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _suspicious(piece: str, words: Lexicon) -> bool:
    found = list(WORD.finditer(piece))
    if any(words.suspect(match[0], initial=match.start() < 3) for match in found):
        return True
    if any(words.full_name(a[0], b[0]) for a, b in pairwise(found) if b.start() - a.end() == 1):
        return True
    return bool(_TITLE.search(piece) or _NUMBER.search(piece))
