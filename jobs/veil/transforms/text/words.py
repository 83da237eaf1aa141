"""What a word may be: a name, an everyday word, a clinical term. Word lists are data, read once per process."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_DATA = Path(__file__).parent / "data"
_CLITIC = re.compile(r"'(?:s|m|re|ve|ll|d|t)$")
_LONGEST_WORD = 40
"""A longer run of letters is a sequence or noise, not a name."""


def package_path(package: str, *parts: str) -> Path:
    """Locate a data file of an installed package without importing the package.

    Raises
    ------
    FileNotFoundError
        The package is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed; install veil's dependencies again")
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


def lines(name: str) -> Iterator[str]:
    """Yield the lines of a data file of this package that hold data."""
    return word_lines(_DATA / name)


def word_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a list that are neither empty nor a comment."""
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def word_set(name: str) -> frozenset[str]:
    """Read a data file as one set of words."""
    return frozenset(word for line in lines(name) for word in line.split())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The sets that decide whether a word can be a name. All words are lower case without accents.

    Parameters
    ----------
    safe
        Words of English and of medicine that name nobody (philter-lite, `nonames`).
    given, family
        First and last names (philter-lite), which overlap with `safe`.
    everyday
        Words of speech and charting that the name lists also hold.
    ordinary
        Ordinary words that are common names too.
    surname_eponyms
        Eponyms that are common surnames, terms only in front of what they name.
    eponyms
        People that medicine named things after, and products that read like people.
    ordinary_given
        Given names that are ordinary words, which a capital amid small letters makes names.
    phrases
        Terms of two words and more that hold a name or a place, joined by "-".
    lowercase
        English words that in small letters are no given names, though a list has them.
    acronyms
        Abbreviations that are given or family names too.
    """

    safe: frozenset[str]
    given: frozenset[str]
    family: frozenset[str]
    everyday: frozenset[str]
    ordinary: frozenset[str]
    eponyms: frozenset[str]
    surname_eponyms: frozenset[str]
    ordinary_given: frozenset[str]
    phrases: frozenset[str]
    lowercase: frozenset[str]
    acronyms: frozenset[str]

    def common(self, word: str) -> bool:
        """Tell whether a word, written in any way, is also an ordinary word."""
        lower = word.lower()
        return lower in self.everyday or lower in self.safe

    def ambiguous(self, word: str) -> bool:
        """Tell whether a name is such an ordinary word that it has to stand like a name to be one."""
        lower = word.lower()
        return lower in self.everyday or lower in self.ordinary

    def full_name(self, first: str, second: str) -> bool:
        """Tell whether two neighbouring words are a first name and a last name, though each may be an ordinary word."""
        last = second.lower()
        return first.lower() in self.given and last in self.family and last not in self.everyday and len(last) > 2

    def suspect(self, word: str, *, initial: bool) -> bool:
        """Tell whether a word may name somebody where it stands.

        Parameters
        ----------
        word
            One word, folded.
        initial
            The word begins a sentence, so that its capital says nothing.
        """
        lower = _CLITIC.sub("", word.lower())
        capital = word[0].isupper() and not word.isupper() and not initial
        if not 1 < len(lower) <= _LONGEST_WORD:
            return False
        if lower in self.everyday:
            return capital and lower in self.given
        return lower not in self.safe or lower in self.given or (capital and lower in self.family)


@cache
def lexicon() -> Lexicon:
    """Read the word lists, once per process (about 2 s)."""
    with package_path("philter_lite", "filters", "set.toml").open("rb") as file:
        sets = tomllib.load(file)
    return Lexicon(
        safe=frozenset(sets["nonames"]),
        given=frozenset(sets["firstnames"]),
        family=frozenset(sets["lastnames"]),
        everyday=word_set("everyday.txt"),
        ordinary=word_set("ordinary.txt"),
        eponyms=word_set("eponyms.txt"),
        surname_eponyms=word_set("surname_eponyms.txt"),
        ordinary_given=word_set("ordinary_given.txt"),
        phrases=word_set("phrases.txt"),
        lowercase=word_set("lowercase.txt"),
        acronyms=word_set("acronyms.txt"),
    )
