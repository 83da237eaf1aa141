"""The names that are put in place of real ones: where they are made of, and how one is told from a real name."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

Gender = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Heads and tails of invented names, and the gender of common given names (lower case)."""

    family_heads: tuple[str, ...]
    family_tails: tuple[str, ...]
    given_heads: tuple[str, ...]
    given_tails: dict[Gender, tuple[str, ...]]
    genders: dict[str, Gender] = field(repr=False)


@cache
def vocabulary() -> Vocabulary:
    """Read the vocabulary, once per process."""
    table = tomllib.loads(files(__package__).joinpath("surrogates.toml").read_text("utf-8"))
    kinds: tuple[Gender, Gender] = ("female", "male")
    return Vocabulary(
        tuple(table["family_heads"]),
        tuple(table["family_tails"]),
        tuple(table["given_heads"]),
        {kind: tuple(table[f"{kind}_tails"]) for kind in kinds},
        {name: kind for kind in kinds for name in table["genders"][kind].split()},
    )


@cache
def pattern() -> str:
    """Give the regular expression of all words that can be drawn, without regard to case."""
    words = vocabulary()
    given = (*words.given_tails["female"], *words.given_tails["male"])
    family = rf"(?:{'|'.join(words.family_heads)})(?:{'|'.join(words.family_tails)})"
    return rf"{family}|(?:{'|'.join(words.given_heads)})(?:{'|'.join(given)})"


@cache
def _compiled() -> re.Pattern[str]:
    return re.compile(pattern(), re.IGNORECASE)


def is_surrogate(word: str) -> bool:
    """Tell whether a word is one that could have been drawn."""
    return _compiled().fullmatch(word) is not None
