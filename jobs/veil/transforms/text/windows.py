"""Which parts of a text the models have to read.

A sentence whose every word is ordinary English or medicine, and no part of a name, has nothing that arbitration would
let through, and of what rules have found already a model tells nothing new: reading it would change nothing but the
time it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from veil.contracts import Span

from .words import WORD, Lexicon

WIDTH = 480
"""Characters that the classifier detects best in."""
_END = re.compile(r"(?<=[.!?:;])\s{1,20}(?=\S)|\n{1,20}")
_TITLE = re.compile(r"\b(?:(?:dr|mr|mrs|ms|miss|prof)\b\.? [a-z]|(?:doctor|nurse|named?|called) [a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d .-]{4,30}\d")


def windows(text: str, words: Lexicon, found: Iterable[Span] = ()) -> list[tuple[int, int]]:
    """Choose the windows, each of `WIDTH` characters at most.

    Parameters
    ----------
    text
        A folded text.
    words
        The word lists.
    found
        What is covered whatever a model says.

    Returns
    -------
    list of (int, int)
        Sorted half-open ranges. Each begins and ends at a sentence or, in a longer sentence, at a space.
    """
    chosen: list[tuple[int, int]] = []
    previous: tuple[int, int] | None = None
    covered = bytearray(len(text))
    for span in found:
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    for start, end in _pieces(text):
        if _suspicious(text, start, end, words, covered):
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


def _suspicious(text: str, start: int, end: int, words: Lexicon, covered: bytearray) -> bool:
    found = list(WORD.finditer(text, start, end))
    for match in found:
        if not covered[match.start()] and words.suspect(match[0], initial=match.start() - start < 3):
            return True
    for one, two in pairwise(found):
        if two.start() - one.end() == 1 and not covered[one.start()] and words.full_name(one[0], two[0]):
            return True
    if any(not covered[match.end() - 1] for match in _TITLE.finditer(text, start, end)):
        return True
    return any(not covered[match.start()] for match in _NUMBER.finditer(text, start, end))
