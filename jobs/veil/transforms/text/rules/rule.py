"""The shape of a rule: a pattern of bounded length, and a check where the standard defines one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from veil.contracts import Kind, Span


@dataclass(frozen=True, slots=True)
class Rule:
    """One form of one kind of identifier.

    Parameters
    ----------
    name
        What a finding reports.
    kind
        The kind of identifier.
    pattern
        Its quantifiers are bounded and it begins at a boundary, so that a scan takes linear time. What it captures as
        ``id`` is the identifier; without such a group, the whole match.
    accepts
        Decides on the identifier: a checksum, a range.
    score
        Below 1 for a form that other kinds have too, so that theirs is the kind that is reported.
    """

    name: str
    kind: Kind
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] | None = None
    score: float = 1.0


TERMINOLOGY = re.compile(
    r"\b(?:ndc|snomed(?:[ -]?ct)?|sctid|loinc|cpt|hcpcs|icd(?:-?(?:9|10|11))?(?:-cm)?|rxnorm|rxcui|pmid|nct|cas|"
    r"mesh|cui|omim|cvx|"
    r"atc|drg|nucc|unii|chebi|doi|isbn)(?: ?(?:codes?|no\.?|number|#|:|id|is|=)){0,3} ?$",
    re.IGNORECASE,
)
"""In front of a number: it is a code of a public terminology."""
_LEAD = 24


def is_code(text: str, start: int) -> bool:
    """Tell whether what begins at `start` is a code of a public terminology, which the word in front of it names."""
    return bool(TERMINOLOGY.search(text[max(0, start - _LEAD) : start]))


def apply(rule: Rule, text: str) -> Iterator[Span]:
    """Yield the spans that a rule finds in a folded text; one that scores below 1 gives way to a terminology's code."""
    group = "id" if "id" in rule.pattern.groupindex else 0
    for match in rule.pattern.finditer(text):
        if rule.score < 1 and is_code(text, match.start(group)):
            continue
        if rule.accepts is None or rule.accepts(match[group]):
            yield Span(match.start(group), match.end(group), rule.kind, "rules", rule.name, rule.score)
