"""The nouns that every layer shares: frozen, free of Spark, Airflow and Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Profile = Literal["safe_harbor", "expert"]

Kind = Literal[
    "NAME",
    "LOCATION",
    "DATE",
    "AGE",
    "PHONE",
    "FAX",
    "EMAIL",
    "SSN",
    "MRN",
    "HEALTH_PLAN",
    "ACCOUNT",
    "LICENSE",
    "VEHICLE",
    "DEVICE",
    "URL",
    "IP",
    "BIOMETRIC",
    "PHOTO",
    "ID",
    "ORGANIZATION",
]
"""The kinds of identifier of 45 CFR 164.514(b)(2)(i)(A)-(R), and facilities, which (B) makes geography."""


@dataclass(frozen=True, slots=True)
class KnownIdentifier:
    """One identifier that the vault holds about a subject or about somebody who cares for them.

    `role` is ``subject``, ``relative``, ``practitioner`` or ``organization``; ``mention`` is one word, in small
    letters, of a name that another note of the same subject holds. NAME values are one name in natural
    order ("Maria del Carmen Ortiz"); DATE values are ISO 8601; LOCATION values are one address line, city or
    postal code each.
    """

    kind: Kind
    value: str = field(repr=False)
    role: str = "subject"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range [start, end) of characters of the original text that identifies somebody."""

    start: int
    end: int
    kind: Kind
    detector: str
    rule: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Where an identifier was found and what found it; never the value (its keyed hash is added by the stage)."""

    path: str
    span: Span
    value: str = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SurrogateSeed:
    """What a subject's surrogates are drawn from: a key of their own, and the words that may not be drawn."""

    key: bytes = field(repr=False)
    taken: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One record, note or payload as an anonymizer sees it, with all that it may need about the subject.

    `references` maps a reference as it is written in the record ("Patient/123") to the published id of its target;
    one that is absent has no published target in the same linkage group. `columns` maps the columns of a CSV row to
    their roles. `offset_days` is 0 under `safe_harbor`. `surrogates` is None where names become tags. From `uid_key`
    the subject's new DICOM UIDs are made.
    """

    type: str
    row_id: str
    subject: str
    content: str | None = field(default=None, repr=False)
    payload: bytes | None = field(default=None, repr=False)
    known: Sequence[KnownIdentifier] = field(default=(), repr=False)
    references: Mapping[str, str] = field(default_factory=dict, repr=False)
    columns: Mapping[str, str] | None = None
    offset_days: int = 0
    surrogates: SurrogateSeed | None = field(default=None, repr=False)
    uid_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an anonymizer made of an item. `dropped` counts, by path, what the policy did not name."""

    content: str | None = None
    payload: bytes | None = field(default=None, repr=False)
    findings: Sequence[Finding] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)


class Unpublishable(Exception):
    """This item cannot be made safe. The message is a reason a person can act on and never holds a value."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A payload that a record carries inline (`data`) or points to (`url`, a path relative to the drop)."""

    path: str
    content_type: str
    data: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """What a consent statement decides for the data of its subject, and when it was made (ISO 8601, UTC)."""

    decision: Literal["permit", "deny"]
    when: str


@dataclass(frozen=True, slots=True)
class Record:
    """A source record in the envelope that bronze keeps it in.

    `key` is ``<type>/<id>``. `subject` is the reference of whom the record is about, ``Patient/<id>`` or
    ``identifier:<system>|<value>``; a Practitioner, an Organization or a Location is its own subject; None when the
    record should have one and has none. `aliases` are further references of the same subject. `version` is the
    source's own last update (ISO 8601, UTC, "" where it has none). `start` is when the event began (ISO 8601, UTC).
    `content` is the raw record as JSON text, unknown fields included, inline attachment data excluded.
    """

    type: str
    id: str
    subject: str | None = field(repr=False)
    content: str = field(repr=False)
    version: str = ""
    deleted: bool = False
    start: str | None = None
    code_system: str | None = None
    code: str | None = None
    references: tuple[str, ...] = field(default=(), repr=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)
    known: tuple[KnownIdentifier, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    consent: Consent | None = None

    @property
    def key(self) -> str:
        """The reference by which other records of the same source point to this one."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Described:
    """What a payload says of itself, where its drop does not say it.

    `subject` is the ID of whom it is about, "" where it gives none; the others are as in a `Record`. What it is part
    of is among its `references`: ``ImagingStudy/<uid>``.
    """

    subject: str = field(default="", repr=False)
    start: str | None = field(default=None, repr=False)
    code_system: str | None = None
    code: str | None = None
    references: tuple[str, ...] = field(default=(), repr=False)


class Malformed(Exception):
    """A source record that cannot be read. The message is a reason a person can act on and never holds a value."""
