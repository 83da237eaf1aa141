"""Identifiers that have a form: the kinds of 45 CFR 164.514(b)(2)(i)(A)-(R), without a model."""

from __future__ import annotations

from collections.abc import Iterator

from veil.contracts import Span

from . import ages, capitals, contact, dates, listed, messages, names, numbers, places, residence, spelled
from .rule import apply

_RULES = (
    *contact.RULES,
    *numbers.RULES,
    *messages.RULES,
    *ages.RULES,
    *names.RULES,
    *places.RULES,
    *residence.RULES,
    *spelled.RULES,
)


def find(text: str) -> Iterator[Span]:
    """Yield what the rules find in a folded text; spans may overlap."""
    for rule in _RULES:
        yield from apply(rule, text)
    yield from dates.find(text)
    yield from capitals.find(text)
    yield from listed.find(text)
