"""Who the entries of a folder are about, and what they refer to: random secrets and ids, for one run alone."""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from veil.contracts import Item, KnownIdentifier, SurrogateSeed
from veil.identity import Scope
from veil.keys import SECRET_BYTES
from veil.readers.fhir import REFERENCE
from veil.surrogates import is_surrogate

from .known import Known
from .sources import Entry

_REFERENCE = re.compile(REFERENCE)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class People:
    """The subjects of a folder, by one name each, and the keys of its records by every name that points to them."""

    scope: Scope
    shifts: bool
    invents: bool
    given: Known
    subjects: Mapping[str, str] = field(repr=False)
    records: Mapping[str, str] = field(repr=False)
    known: Mapping[str, dict[KnownIdentifier, None]] = field(repr=False)
    denied: frozenset[str] = field(repr=False)
    taken: frozenset[str] = field(repr=False)
    _secrets: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, entries: Iterable[Entry], scope: Scope, given: Known, *, shifts: bool, invents: bool) -> People:
        """Learn from all entries who is who, what identifies them, and who denies the use of what is about them."""
        subjects: dict[str, str] = {}
        records: dict[str, str] = {}
        told: list[tuple[str, tuple[KnownIdentifier, ...]]] = []
        denials: set[str] = set()
        for entry in entries:
            subject = entry.subject or ""
            subjects.update(dict.fromkeys(entry.aliases, subject))
            records.update(dict.fromkeys((entry.key, *entry.aliases), entry.key))
            if entry.known:
                told.append((subject, entry.known))
            if entry.consent is not None and entry.consent.decision == "deny":
                denials.add(subject)
        known: defaultdict[str, dict[KnownIdentifier, None]] = defaultdict(dict)
        for name, identifiers in told:  # by an alias, perhaps of a record that came later
            known[subjects.get(name, name)].update(dict.fromkeys(identifiers))
        denied = frozenset(subjects.get(name, name) for name in denials)
        taken = _drawable(chain(*given.by_place.values(), *known.values())) if invents else frozenset()
        return cls(scope, shifts, invents, given, subjects, records, known, denied, taken)

    def is_denied(self, entry: Entry) -> bool:
        """Whether a statement of the subject denies the use of what is about them, whatever another permits."""
        return self._subject(entry) in self.denied

    def item(self, entry: Entry) -> Item:
        """Give an entry as an anonymizer sees it."""
        subject = self._subject(entry)
        secret = self._secret(subject)
        targets = {ref: target for ref in entry.references if (target := self._target(ref)) is not None}
        around = [self.known[name] for name in (subject, *targets.values()) if name in self.known]
        return Item(
            type=entry.type,
            row_id=self._row_id(entry.key),
            subject=self._called(entry, subject, secret),
            content=entry.content,
            payload=entry.payload,
            known=[*chain.from_iterable(around), *self.given.of(entry.source.place)],
            references={ref: self._row_id(target) for ref, target in targets.items()},
            columns=entry.columns,
            offset_days=self.scope.offset_days(secret, subject) if self.shifts else 0,
            surrogates=SurrogateSeed(self.scope.surrogate_key(secret, subject), self.taken) if self.invents else None,
            uid_key=self.scope.uid_key(secret, subject),
        )

    def _called(self, entry: Entry, subject: str, secret: bytes) -> str:
        """Give the pseudonym; to a row of a table the published id of its patient, where their record is there too."""
        record = self.records.get(subject) if entry.columns is not None else None
        return self.scope.subject(secret, subject) if record is None else self._row_id(record)

    def _subject(self, entry: Entry) -> str:
        written = entry.subject or ""
        return self.subjects.get(written, written)

    def _secret(self, name: str) -> bytes:
        return self._secrets.setdefault(name, secrets.token_bytes(SECRET_BYTES))

    def _target(self, reference: str) -> str | None:
        match = _REFERENCE.fullmatch(reference)
        return self.records.get(match[1] if match else reference)

    def _row_id(self, key: str) -> str:
        return self.scope.row(self._secret(f"record {key}"), key)


def _drawable(identifiers: Iterable[KnownIdentifier]) -> frozenset[str]:
    """Give the words of known names that could be drawn as surrogates: few, if any."""
    names = (identifier.value.lower() for identifier in identifiers if identifier.kind == "NAME")
    return frozenset(word for name in names for word in _WORD.findall(name) if is_surrogate(word))
