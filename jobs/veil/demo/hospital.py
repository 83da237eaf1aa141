"""The demo's hospital: who works there, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from veil.demo.people import draw_phone, draw_surname, fold, new_id, number
from veil.demo.words import words


@dataclass(frozen=True, slots=True, repr=False)
class Clinician:
    """Somebody who treats patients. The national provider id begins with 9, which is never assigned."""

    id: str
    given: str
    family: str
    npi: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True, repr=False)
class Site:
    """A hospital (an Organization) and its ward (a Location)."""

    id: str
    ward_id: str
    name: str
    ward: str
    phone: str
    street: str
    city: Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Hospital:
    """Who works in the hospital that `seed` stands for, and where."""

    seed: int
    staff: tuple[Clinician, ...]
    sites: tuple[Site, ...]


def make_hospital(seed: int) -> Hospital:
    """Make the hospital that `seed` stands for: its clinicians and sites."""
    rng = Random(f"{seed}/staff")
    places = words("places")
    sites = tuple(
        Site(
            id=new_id(rng),
            ward_id=new_id(rng),
            name=site["name"],
            ward=f"{site['name']}, {site['ward']}",
            phone=draw_phone(rng, places["city"][site["city"]]),
            street=f"{rng.randrange(100, 9900)} {rng.choice(places['streets'])}",
            city=places["city"][site["city"]],
        )
        for site in places["site"]
    )
    return Hospital(seed, tuple(_clinician(rng, seed, index) for index in range(20)), sites)


def _clinician(rng: Random, seed: int, index: int) -> Clinician:
    culture = rng.choice(words("names")["culture"])
    given = rng.choice(culture[rng.choice(("female", "male"))]).partition("/")[0]
    family = draw_surname(rng, culture)
    email = f"{fold(given)}.{fold(family)}@hospital.example".lower().replace(" ", "").replace("'", "")
    phone = draw_phone(rng, rng.choice(words("places")["city"]))
    return Clinician(new_id(rng), given, family, f"99999{number(seed, 'npi', index, 5)}", phone, email)
