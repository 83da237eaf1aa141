"""Recall, precision and over-redaction, as the field counts them: by characters covered, whatever the kind given."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from veil.contracts import Span

from .gold import TITLE, Document, GoldSpan

Find = Callable[[str], Sequence[Span]]


@dataclass(slots=True)
class Recall:
    """How many labelled spans there were, and how many were covered whole (titles aside) or touched."""

    labelled: int = 0
    full: int = 0
    any: int = 0

    def rates(self) -> dict[str, float | None]:
        """Give the counts as shares; none where nothing was labelled."""
        if not self.labelled:
            return {"labelled": 0, "full_span": None, "any_overlap": None}
        shares = {"full_span": self.full / self.labelled, "any_overlap": self.any / self.labelled}
        return {"labelled": self.labelled, **shares}


@dataclass(slots=True)
class Scores:
    """What was measured; counts and seconds alone, never a value."""

    documents: int = 0
    characters: int = 0
    seconds: float = 0.0
    found: int = 0
    found_right: int = 0
    negatives: int = 0
    negatives_touched: int = 0
    kinds: dict[str, Recall] = field(default_factory=dict)
    groups: dict[str, Recall] = field(default_factory=dict)
    touched_by: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Give the scores as a JSON object."""
        every = Recall(
            *(sum(getattr(each, name) for each in self.kinds.values()) for name in ("labelled", "full", "any"))
        )
        return {
            "documents": self.documents,
            "characters": self.characters,
            "characters_per_second": round(self.characters / self.seconds, 1) if self.seconds else 0.0,
            "recall": {"all": every.rates(), **{kind: each.rates() for kind, each in sorted(self.kinds.items())}},
            "recall_of_names_by_group": {group: each.rates() for group, each in sorted(self.groups.items())},
            "precision": self.found_right / self.found if self.found else None,
            "hard_negatives": {
                "documents": self.negatives,
                "touched": self.negatives_touched,
                "by_kind": dict(sorted(self.touched_by.items())),
            },
        }


def score(documents: Iterable[Document], find: Find) -> Scores:
    """Compare what `find` finds with what is labelled.

    A labelled span is covered *whole* when every letter and digit of it is, titles in front of a name aside, and
    *touched* when one is. Precision is the share of what was found that touches anything labelled. A document without
    a label is a hard negative: *touched* when anything is found in it.
    """
    scores = Scores()
    for document in documents:
        began = time.perf_counter()
        found = find(document.text)
        scores.seconds += time.perf_counter() - began
        _count(scores, document, found)
    return scores


def _count(scores: Scores, document: Document, found: Sequence[Span]) -> None:
    text = document.text
    scores.documents += 1
    scores.characters += len(text)
    scores.found += len(found)
    covered = bytearray(len(text))
    for span in found:
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    for gold in document.spans:
        full, touched = _coverage(text, gold, covered)
        by_group = [scores.groups.setdefault(gold.group, Recall())] if gold.group and gold.kind == "NAME" else []
        for recall in (scores.kinds.setdefault(gold.kind, Recall()), *by_group):
            recall.labelled += 1
            recall.full += full
            recall.any += touched
    scores.found_right += sum(
        any(gold.start < span.end and span.start < gold.end for gold in document.spans) for span in found
    )
    if not document.spans:
        scores.negatives += 1
        scores.negatives_touched += bool(found)
        scores.touched_by.update({span.kind for span in found})


def _coverage(text: str, gold: GoldSpan, covered: bytearray) -> tuple[bool, bool]:
    title = TITLE.match(text, gold.start, gold.end) if gold.kind == "NAME" else None
    start = title.end() if title and title.end() < gold.end else gold.start
    seen = [covered[index] for index in range(start, gold.end) if text[index].isalnum()]
    return all(seen), any(seen)
