"""What became of a folder, and of what its files are parts of."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from veil import modalities
from veil.contracts import Item, Outcome

from .sources import Entry, Skipped


@dataclass(slots=True)
class Whole:
    """A whole, such as a study: how many of its parts were written, and how many held.

    `name` is the pseudonym of whom it is about, with its new UID; "" as long as nothing of it was written.
    """

    name: str = ""
    written: int = 0
    held: int = 0


@dataclass(slots=True)
class Summary:
    """What became of a folder."""

    written: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)
    _wholes: defaultdict[str, Whole] = field(default_factory=lambda: defaultdict(Whole), repr=False)

    def add(self, entry: Entry, item: Item, outcome: Outcome) -> None:
        """Count what was written."""
        self.written += 1
        self.findings.update(finding.span.kind for finding in outcome.findings)
        self.dropped.update(outcome.dropped)
        whole = self._whole(entry)
        if whole is not None:
            whole.written += 1
            whole.name = f"{item.subject}, {json.loads(outcome.content or '{}').get('study', 'no UID')}"

    def hold(self, entry: Entry, reason: str) -> None:
        """Count what was held, and why."""
        self.skipped.append(Skipped(entry.source.name, entry.position, reason))
        whole = self._whole(entry)
        if whole is not None:
            whole.held += 1

    @property
    def incomplete(self) -> list[Whole]:
        """The wholes of which a part was written and another held."""
        return [whole for whole in self._wholes.values() if whole.written and whole.held]

    def _whole(self, entry: Entry) -> Whole | None:
        kind = modalities.get(entry.type).whole if entry.type in modalities.registered() else None
        found = next((ref for ref in entry.references if kind and ref.startswith(f"{kind}/")), None)
        return None if found is None else self._wholes[found]
