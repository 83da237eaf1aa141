"""Languages besides English: a folder each, of patterns and of words that name nobody.

``<code>/rules.toml`` holds tables ``[[rule]]`` of ``name``, ``kind`` (of `veil.contracts.Kind`) and ``pattern``, a
regular expression with bounded quantifiers whose group ``id`` is the identifier; ``<code>/words.txt`` holds words. The
rules for what looks alike everywhere (numbers, e-mail, dates in digits) and both models serve every language.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from veil.transforms.text.rules.rule import Rule
from veil.transforms.text.words import word_lines

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Language:
    """What reading a language takes beyond what serves all of them."""

    rules: tuple[Rule, ...] = ()
    words: frozenset[str] = field(default=frozenset(), repr=False)


def available() -> frozenset[str]:
    """Give the ISO 639-1 codes of the languages that can be cleaned."""
    return frozenset({"en", *(path.parent.name for path in _FOLDER.glob("*/rules.toml"))})


@cache
def load(code: str) -> Language:
    """Read a language's folder; English has none, since it is what everything else is made for.

    Raises
    ------
    KeyError
        There is no such language.
    """
    if code not in available():
        raise KeyError(code)
    if code == "en":
        return Language()
    folder = _FOLDER / code
    tables = tomllib.loads((folder / "rules.toml").read_text("utf-8"))["rule"]
    rules = tuple(Rule(table["name"], table["kind"], re.compile(table["pattern"])) for table in tables)
    return Language(rules, frozenset(word for line in word_lines(folder / "words.txt") for word in line.split()))
