"""Known names: their parts, nicknames, initials, and one typing error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from veil.contracts import Span

from .folding import fold
from .words import WORD, Lexicon, lexicon, lines

_FUZZY_LENGTH = 5
_ADDRESSED = re.compile(
    r"\b(?:dr|mr|mrs|ms|miss|prof|doctor|nurse|hi|hey|hello|dear|named|called)[ ,]{0,2}\.?\s{1,2}$|"
    r"\b(?:patient|pt|name|surgeon|attending|provider|physician|author|pcp|spouse|mother|father|re|cc)\s?[:=]\s{0,3}$",
    re.IGNORECASE,
)
_START = re.compile(r"(?:^|[.!?:;\n•-])\s*$")
_PREDICATE = re.compile(
    r"(?:'s\b)? (?:(?:also|now|then|still|just|never|always) )?(?:is|was|has|had|does|did|will|would|can|could|"
    r"reports?|reported|denies|denied|states?|stated|says|said|presents?|presented|presenting|complains?|complained|notes|noted|"
    r"feels?|felt|lives?|lived|works?|worked|appears?|appeared|tolerated|underwent|returns?|returned|came|comes|went|"
    r"goes|wants?|wanted|takes?|took|continues?|continued|remains?|remained|needs?|needed|agrees?|agreed|called|calls|"
    r"asks?|asked|tells|told|uses?|used|smokes?|drinks?|sees|saw|sleeps?|slept|eats|ate|walks?|walked|stopped|started|"
    r"received|refused|refuses|describes|described|understands|understood|verbalized|prefers|requests|requested)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s'-]{1,3}|-\s{0,3}\n\s{0,3}")
_NEAR = re.compile(r"(?:[\s,.'-]|[A-Za-z]\.){1,6}")
_INITIALS = re.compile(r"(?:(?<=\s)|(?<=^)|(?<=[(,]))([A-Za-z])\.?(?:\s?([A-Za-z])\.?)?\s{1,2}$")


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    key: str
    strong: bool


@cache
def nicknames() -> dict[str, frozenset[str]]:
    """Give for each form of a given name all forms of it, lower case."""
    table: dict[str, set[str]] = {}
    for line in lines("nicknames.txt"):
        forms = line.split()
        for form in forms:
            table.setdefault(form, set()).update(forms)
    return {form: frozenset(group) for form, group in table.items()}


class _Names:
    """The parts of the names that are known, ready to be looked up."""

    def __init__(self, names: Sequence[str], words: Lexicon) -> None:
        self._words = words
        self.parts: set[str] = set()
        self.initials: set[str] = set()
        for name in names:
            pieces = [_key(match[0]) for match in WORD.finditer(fold(name).text)]
            self.initials.update(piece[0] for piece in pieces if piece)
            long = [piece for piece in pieces if len(piece) >= 2]
            self.parts.update(long)
            self.parts.update(a + b for a, b in pairwise(long))
            if long:
                self.parts.update(nicknames().get(long[0], ()))
        fuzzy = {part for part in self.parts if len(part) >= _FUZZY_LENGTH}
        self._near: dict[str, set[str]] = {}
        for part in fuzzy:
            for form in (part, *_deletions(part)):
                self._near.setdefault(form, set()).add(part)
        self._seen: dict[str, bool] = {}

    def typo(self, key: str) -> bool:
        """Tell whether an unusual word is one edit or one swap away from a part of five letters or more."""
        if len(key) < _FUZZY_LENGTH - 1 or len(key) > 40 or self._words.common(key):
            return False
        if key not in self._seen:
            forms = (key, *_deletions(key))
            self._seen[key] = any(_one_edit(key, part) for form in forms for part in self._near.get(form, ()))
        return self._seen[key]


def find(text: str, names: Sequence[str]) -> Iterator[Span]:
    """Yield where parts of the names stand in a folded text.

    A part that is also an ordinary word counts beside another part, behind a title or a greeting, with a capital
    inside a sentence, or, where a capital says nothing, in front of what somebody does.
    """
    if not names:
        return
    lookup = _Names(names, lexicon())
    tokens = list(_tokens(text, lookup))
    for index, token in enumerate(tokens):
        if token.strong or _sure(text, tokens, index):
            yield Span(_with_initials(text, token, lookup.initials), token.end, "NAME", "known", "known_name")


def _tokens(text: str, lookup: _Names) -> Iterator[_Token]:
    words = lexicon()
    previous: re.Match[str] | None = None
    for match in WORD.finditer(text):
        key = _key(match[0])
        if key in lookup.parts:
            yield _Token(match.start(), match.end(), key, not words.ambiguous(key))
        elif key.endswith("s") and key[:-1] in lookup.parts and match[0][-2:].lower() == "'s":
            yield _Token(match.start(), match.end() - 2, key[:-1], not words.ambiguous(key[:-1]))
        elif lookup.typo(key):
            yield _Token(match.start(), match.end(), key, True)
        if previous is not None and _BETWEEN.fullmatch(text, previous.end(), match.start()):
            joined = _key(previous[0]) + key
            if joined in lookup.parts and not (_key(previous[0]) in lookup.parts and key in lookup.parts):
                yield _Token(previous.start(), match.end(), joined, not words.ambiguous(joined))
        previous = match


def _sure(text: str, tokens: Sequence[_Token], index: int) -> bool:
    token = tokens[index]
    for other in tokens[max(0, index - 1) : index + 2]:
        left, right = sorted((token, other), key=lambda t: t.start)
        if other is not token and other.key != token.key and _NEAR.fullmatch(text, left.end, right.start):
            return True
    before = text[max(0, token.start - 16) : token.start]
    if _ADDRESSED.search(before):
        return True
    word = text[token.start : token.end]
    if not word[0].isupper():
        return False
    if word.isupper() or _START.search(before):
        # a capital that says nothing: what somebody does or has behind it does
        return token.key in lexicon().given and bool(_PREDICATE.match(text, token.end))
    return True


def _with_initials(text: str, token: _Token, initials: set[str]) -> int:
    """Take initials of the same names in front of a part into the span."""
    base = max(0, token.start - 8)
    match = _INITIALS.search(text[base : token.start])
    if match and all(letter.lower() in initials for letter in match.groups() if letter):
        return base + match.start()
    return token.start


def _key(word: str) -> str:
    return word.lower().replace("'", "")


def _deletions(word: str) -> Iterator[str]:
    return (word[:i] + word[i + 1 :] for i in range(len(word)))


def _one_edit(a: str, b: str) -> bool:
    """Tell whether one insertion, deletion, substitution or swap of neighbours turns a into b."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return a == b
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    left, right = a[start:], b[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
    return left[1:] == right if len(left) > len(right) else left == right[1:]
