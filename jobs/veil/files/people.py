"""Who the entries of a folder are about, and what they refer to: random secrets and ids, for one run alone."""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from veil.contracts import Item, KnownIdentifier
from veil.identity import Scope
from veil.keys import SECRET_BYTES

from .known import Known
from .sources import Entry

_REFERENCE = re.compile(r"(?:https?://.*/)?([A-Z][A-Za-z]+/[^/|?#]+)(?:/_history/[^/]+)?")
"""A reference to another resource, relative or absolute, of any version (FHIR R4, 2.3.0.1)."""


@dataclass(slots=True)
class People:
    """The subjects of a folder and the published ids of its records; it is filled by a first pass over all entries."""

    scope: Scope
    shifts: bool
    given: Known
    _secrets: dict[str, bytes] = field(default_factory=dict, repr=False)
    _subject_of: dict[str, str] = field(default_factory=dict, repr=False)
    _owner: dict[str, str] = field(default_factory=dict, repr=False)
    _known: defaultdict[str, dict[KnownIdentifier, None]] = field(default_factory=lambda: defaultdict(dict), repr=False)
    _denied: set[str] = field(default_factory=set, repr=False)

    def meet(self, entry: Entry) -> None:
        """Take note of what an entry tells about its subject."""
        subject = entry.subject or ""
        for alias in entry.aliases:
            self._subject_of[alias] = subject
        for name in (entry.key, *entry.aliases):
            self._owner[name] = entry.key
        self._known[subject].update(dict.fromkeys(entry.known))
        if entry.consent is not None and entry.consent.decision == "deny":
            self._denied.add(subject)

    def is_denied(self, entry: Entry) -> bool:
        """Whether a statement of the subject denies the use of what is about them, whatever another permits."""
        subject = self._subject(entry)
        return any(self._subject_of.get(denied, denied) == subject for denied in self._denied)

    def item(self, entry: Entry) -> Item:
        """Give an entry as an anonymizer sees it."""
        subject = self._subject(entry)
        secret = self._secret(subject)
        links = {ref: self._row_id(target) for ref in entry.references if (target := self._target(ref)) is not None}
        return Item(
            type=entry.type,
            row_id=self._row_id(entry.key) if entry.key in self._owner else secrets.token_hex(16),
            subject=self.scope.subject(secret, subject),
            content=entry.content,
            known=self._known_to(entry, subject),
            references=links,
            columns=entry.columns,
            offset_days=self.scope.offset_days(secret, subject) if self.shifts else 0,
        )

    def _subject(self, entry: Entry) -> str:
        written = entry.subject or ""
        return self._subject_of.get(written, written)

    def _secret(self, subject: str) -> bytes:
        return self._secrets.setdefault(subject, secrets.token_bytes(SECRET_BYTES))

    def _target(self, reference: str) -> str | None:
        match = _REFERENCE.fullmatch(reference)
        return self._owner.get(match[1] if match else reference)

    def _row_id(self, key: str) -> str:
        return self.scope.row(self._secret(f"record {key}"), key)

    def _known_to(self, entry: Entry, subject: str) -> list[KnownIdentifier]:
        """Give what is known of the subject, of those whom the entry refers to, and what the user has given."""
        around = [target for ref in entry.references if (target := self._target(ref)) is not None]
        found = _unique(self._known[name] for name in (subject, *around) if name in self._known)
        return [*found, *self.given.of(entry.source.place)]


def _unique(groups: Iterable[dict[KnownIdentifier, None]]) -> list[KnownIdentifier]:
    return list(dict.fromkeys(known for group in groups for known in group))
