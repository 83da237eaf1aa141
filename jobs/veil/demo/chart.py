"""What happened to a demo patient in 2025, before it is written as FHIR, as CSV or as prose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from veil.demo.hospital import Clinician, Hospital, Site
from veil.demo.people import Person, new_id
from veil.demo.words import words

Entry = Mapping[str, Any]
"""One line of the code tables: `code`, `display` and what its kind has besides."""


@dataclass(frozen=True, slots=True)
class Event:
    """One coded thing that was found, given or done."""

    id: str
    entry: Entry
    when: datetime
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One encounter with all that was recorded in it. `pressure` is systolic and diastolic in mmHg."""

    id: str
    entry: Entry
    start: datetime
    end: datetime
    clinician: Clinician
    site: Site
    conditions: tuple[Event, ...]
    observations: tuple[Event, ...]
    pressure: tuple[str, int, int]
    drugs: tuple[Event, ...]
    procedures: tuple[Event, ...]
    vaccines: tuple[Event, ...]

    @property
    def reference(self) -> str:
        """The FHIR reference of the encounter."""
        return f"Encounter/{self.id}"


def _local(when: datetime) -> datetime:
    """Put `when` into the hospital's time zone: US Eastern, with its daylight saving time of 2025."""
    summer = datetime(2025, 3, 9, 2) <= when < datetime(2025, 11, 2, 2)
    return when.replace(tzinfo=timezone(timedelta(hours=-4 if summer else -5)))


def likely(person: Person) -> list[Entry]:
    """List the conditions that are plausible at the age of `person`."""
    age = 2025 - person.birth.year
    return [entry for entry in words("clinic")["condition"] if age >= entry.get("from_age", 0)]


def _some(rng: Random, entries: Sequence[Entry], low: int, high: int, when: datetime) -> tuple[Event, ...]:
    return tuple(Event(new_id(rng), entry, when) for entry in rng.sample(entries, rng.randint(low, high)))


def _measure(rng: Random, when: datetime) -> tuple[Event, ...]:
    measured = []
    for entry in rng.sample(words("clinic")["observation"], rng.randint(1, 3)):
        value = round(rng.uniform(*entry["range"]), entry["decimals"])
        measured.append(Event(new_id(rng), entry, when, value if entry["decimals"] else int(value)))
    return tuple(measured)


def _visit(rng: Random, hospital: Hospital, person: Person) -> Visit:
    entry = rng.choice(words("clinic")["visit"])
    # nobody is seen after 24 November: deaths and next nights come later
    start = _local(datetime(2025, 1, 2, 7) + timedelta(minutes=15 * rng.randrange(4 * 24 * 326)))
    busy = person.index % 3 == 0
    return Visit(
        id=new_id(rng),
        entry=entry,
        start=start,
        end=start + timedelta(minutes=rng.randrange(10, 60 * entry["hours"] + 1, 5)),
        clinician=rng.choice(hospital.staff),
        site=rng.choice(hospital.sites),
        conditions=_some(rng, likely(person), 1, 2, start),
        observations=_measure(rng, start),
        pressure=(new_id(rng), rng.randrange(98, 182), rng.randrange(54, 104)),
        drugs=_some(rng, words("clinic")["drug"], 0, 2, start),
        procedures=_some(rng, words("clinic")["procedure"], 1 if busy else 0, 1, start),
        vaccines=_some(rng, words("clinic")["vaccine"], 0, 1, start),
    )


def make_chart(hospital: Hospital, person: Person) -> tuple[tuple[Visit, ...], tuple[Event, ...]]:
    """Make the visits of `person` in the order of their start, and the allergies known since the first."""
    rng = Random(f"{hospital.seed}/chart/{person.index}")
    visits = sorted(
        (_visit(rng, hospital, person) for _ in range(rng.choice((1, 2, 2, 2, 3)))),
        key=lambda visit: visit.start,
    )
    return tuple(visits), _some(rng, words("clinic")["allergy"], 0, 1, visits[0].start)
