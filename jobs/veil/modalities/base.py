"""The protocol of a modality."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from veil.contracts import Described, Item, KnownIdentifier, Outcome, Profile
from veil.policy import Policy

Transform = Callable[[Item], Outcome]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the gate sees of one row: exactly what would be published."""

    content: str | None = None
    payload: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SearchToken:
    """A canonical token of a candidate; one that is not `free` is a code, compared with the subject's own alone."""

    value: str = field(repr=False)
    free: bool = True


@dataclass(frozen=True, slots=True)
class Gate:
    """How the gate looks at a modality, with other detectors than those that cleaned it.

    `detect` names the critical rules that a candidate breaks. `canaries` are candidates that it has to catch on every
    run. `tokens` are what is searched for known identifiers.
    """

    detect: Callable[[Candidate, Profile], list[str]]
    canaries: Callable[[Profile], list[Candidate]]
    tokens: Callable[[Candidate], Iterable[SearchToken]]


@dataclass(frozen=True, slots=True)
class Modality:
    """One kind of data.

    `recognise` takes a file's name and first bytes and names its format, or None. `anonymizer` makes the transform of
    a policy, given the year to which ages are computed; a modality without one, or without a gate, is held: it stays
    in the restricted zone and is never published. `binary` says that what is published is a payload object.
    `describe` gives what a payload says of itself. `whole` is the type of reference by which payloads belong together:
    what is published of one says how many of the others are held.
    `mentions` gives what an item tells about its subject that the subject's other items are searched for.
    """

    name: str
    title: str
    recognise: Callable[[str, bytes], str | None]
    anonymizer: Callable[[Policy, int], Transform] | None = None
    gate: Gate | None = None
    binary: bool = False
    mentions: Callable[[Item], Iterable[KnownIdentifier]] | None = None
    describe: Callable[[bytes], Described] | None = None
    whole: str | None = None

    @property
    def held(self) -> bool:
        """Whether nothing of this modality can be published."""
        return self.anonymizer is None or self.gate is None
