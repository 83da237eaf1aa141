"""Invented names in place of real ones, the same for the same name of a subject wherever it stands.

Hiding in plain sight: what a detector missed is harder to tell from what it replaced (Carrell et al., JAMIA 2013,
20:342-348).
"""

from __future__ import annotations

import hmac
import unicodedata

from veil.contracts import SurrogateSeed
from veil.surrogates import Gender, is_surrogate, vocabulary

from .folding import fold
from .known_names import nicknames
from .words import WORD, lexicon

_TITLES = frozenset(
    ("dr", "mr", "mrs", "ms", "miss", "prof", "md", "do", "rn", "np", "pa", "phd", "jr", "sr", "ii", "iii", "iv")
)
"""Beside a name they name nobody."""
_WORDS = frozenset(("do", "pa", "np", "ma"))
"""Titles that are family names too, but in capitals."""
_FEMALE_ENDINGS = ("a", "ah", "ie", "ine", "elle", "ette", "lyn", "een", "yn", "ice")


def surrogate(value: str, seed: SurrogateSeed) -> str:
    """Give a name's surrogate: each word replaced, initials too, with the case and the punctuation of the original.

    Parameters
    ----------
    value
        A name as it was found, "Smith, John" or "JOHN".
    seed
        The subject's own key, and the words that are somebody's name in the vault and may not be drawn.
    """
    parts, end = [], 0
    value = unicodedata.normalize("NFC", value)  # an accent of its own would be left beside another letter
    for match in WORD.finditer(value):
        parts += [_plain(value[end : match.start()]), _word(match[0], seed)]
        end = match.end()
    return "".join([*parts, _plain(value[end:])])


def names_nobody(value: str) -> bool:
    """Tell whether a name consists of surrogates alone, as after an earlier pass."""
    words = [match[0] for match in WORD.finditer(value) if len(match[0]) > 1]
    return bool(words) and all(is_surrogate(word) for word in words)


def _plain(between: str) -> str:
    """Keep what separates words; digits written onto a name go."""
    return "".join(char for char in between if not char.isdigit())


def _word(word: str, seed: SurrogateSeed) -> str:
    key = fold(word).text.lower().removesuffix("'s")
    if (key in _TITLES and (key not in _WORDS or word.isupper())) or (is_surrogate(key) and key not in seed.taken):
        return word
    drawn = _draw(key, seed)
    if len(key) == 1:
        drawn = drawn[0]
    if word.isupper():
        return drawn.upper()
    return drawn if word[:1].isupper() else drawn.lower()


def _draw(key: str, seed: SurrogateSeed) -> str:
    words, lists = vocabulary(), lexicon()
    gender = _gender(key)
    # "Bill" and "William" are one; "Chris" is not both Christopher and Christine
    same = [form for form in nicknames().get(key, ()) if _gender(form) == gender]
    key = min([key, *same])
    heads = words.given_heads if gender else words.family_heads
    tails = words.given_tails[gender] if gender else words.family_tails
    for attempt in range(1000):
        digest = hmac.digest(seed.key, f"{key}\x1f{gender}\x1f{attempt}".encode(), "sha256")
        name = heads[digest[0] % len(heads)] + tails[digest[1] % len(tails)]
        lower = name.lower()
        if lower not in seed.taken and not (lower in lists.given or lower in lists.family or lists.common(lower)):
            return name
    raise ValueError("every surrogate is somebody's name in the vault")


def _gender(word: str) -> Gender | None:
    """Guess the gender of a given name by common ones, then by its ending; None for a family name."""
    lists, known = lexicon(), vocabulary().genders
    for form in (word, *sorted(nicknames().get(word, ()))):
        if form in known:
            return known[form]
    if word in lists.given and word not in lists.family:
        return "female" if word.endswith(_FEMALE_ENDINGS) else "male"
    return None
