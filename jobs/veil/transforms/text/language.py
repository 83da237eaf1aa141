"""Which language a text is written in, by its most frequent short words."""

from __future__ import annotations

from collections import Counter
from functools import cache

from .folding import fold
from .words import WORD, lexicon, lines

_SAMPLE = 20_000
_FEWEST = 6
_LEAD = 1.5
_ENOUGH = 8
_FAMILIAR = 0.67
"""Of the words in lower case of English notes 93 % and more are in the word lists; of other languages 66 % at most."""


@cache
def _profiles() -> dict[str, frozenset[str]]:
    return {line.split()[0]: frozenset(line.split()[1:]) for line in lines("languages.txt")}


def language(text: str) -> str:
    """Name the language of a text.

    Parameters
    ----------
    text
        A note; the first 20,000 characters are read.

    Returns
    -------
    str
        An ISO 639-1 code. ``en`` unless another language clearly leads; ``und`` for a text of eight words or more that
        English and medicine mostly do not know, or that is mostly written in letters that are not Latin.
    """
    sample = fold(text[:_SAMPLE]).text.lower()
    words = WORD.findall(sample)
    letters = sum(len(word) for word in words)
    foreign = sum(len(word) for word in words if not word.isascii())
    if letters >= 20 and foreign > letters / 2:
        return "und"
    counts = Counter(words)
    scores = {code: sum(counts[word] for word in profile) for code, profile in _profiles().items()}
    best = max(scores, key=lambda code: scores[code])
    clear = scores[best] >= _FEWEST and scores[best] > _LEAD * scores["en"]
    if clear:
        return best
    return "en" if _is_familiar(fold(text[:_SAMPLE]).text) else "und"


def _is_familiar(sample: str) -> bool:
    """Tell whether English knows most of the words that cannot be names, or too few are there to tell."""
    found = [word.removesuffix("'s") for word in WORD.findall(sample) if len(word) > 1]
    words = [word for word in found if word.islower()]
    if len(words) < _ENOUGH:
        words = [word.lower() for word in found if word.isupper() and len(word) > 2]
    known = sum(lexicon().common(word) for word in words)
    return len(words) < _ENOUGH or known >= _FAMILIAR * len(words)
