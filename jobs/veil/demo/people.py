"""The demo's patients, with every identifier that a hospital keeps about them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from veil.demo.words import words

MRN_SYSTEM = "http://hospital.example/mrn"
_STRIDE = 7_368_787  # coprime to 2, 3 and 5, so that stepping by it visits every number of a given length once
# letters that Unicode does not decompose: dotless i, l and o with stroke, d with stroke
_PLAIN = str.maketrans("\u0131\u0142\u00f8\u0111\u0110", "ilodD")


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A patient. Numbers that are reserved for examples or never assigned are used wherever such exist."""

    index: int
    id: str
    gender: str
    race: str
    hispanic: bool
    given: str
    middle: str
    family: str
    nick: str
    maiden: str | None
    mother: str
    birth: date
    deceased: date | None
    mrn: str
    ssn: str
    licence: str
    passport: str
    plan: str
    account: str
    phone: str
    work: str
    fax: str
    email: str
    url: str
    ip: str
    plate: str
    vin: str
    device: str
    biometric: str
    accession: str
    street: str
    city: Mapping[str, Any]
    latitude: float
    longitude: float
    employer: str
    relation: str
    relative: str
    relative_phone: str

    @property
    def name(self) -> str:
        """Given name and surname, as they are spoken."""
        return f"{self.given} {self.family}"

    @property
    def reference(self) -> str:
        """The FHIR reference of the patient."""
        return f"Patient/{self.id}"


def new_id(rng: Random) -> str:
    """Draw a version 4 UUID."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def fold(text: str) -> str:
    """Spell `text` in ASCII, as systems do that know no other letters."""
    return unicodedata.normalize("NFKD", text.translate(_PLAIN)).encode("ascii", "ignore").decode()


def number(seed: int, label: str, index: int, digits: int) -> int:
    """Give the `index`-th number of `digits` digits in a scattered order: no two patients share one."""
    low = int(10 ** (digits - 1))
    return low + (_start(seed, label, 9 * low) + index * _STRIDE) % (9 * low)


@cache
def _start(seed: int, label: str, size: int) -> int:
    return Random(f"{seed}/{label}").randrange(size)


def mrn(seed: int, index: int) -> str:
    """Give the medical record number, seven digits, of patient `index`."""
    return str(number(seed, "mrn", index, 7))


def draw_phone(rng: Random, city: Mapping[str, Any]) -> str:
    """Draw a telephone number of `city` that is reserved for fiction."""
    return f"({city['area']}) 555-{rng.randrange(100, 200):04d}"


def _vin(rng: Random) -> str:
    """Draw a vehicle identification number with its check digit (49 CFR 565.15(c))."""
    body = "1VZ" + "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=14))
    digits = [*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)]
    values = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", digits, strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    check = sum(values[letter] * weight for letter, weight in zip(body, weights, strict=True)) % 11
    return body[:8] + ("X" if check == 10 else str(check)) + body[9:]


def _ssn(seed: int, index: int) -> str:
    digits = str(number(seed, "ssn", index, 8))
    # no number beginning with 9 was ever assigned, and groups below 50 are no taxpayer numbers either
    return f"9{digits[:2]}-{1 + int(digits[2:4]) % 49:02d}-{digits[4:]}"


def _birth(rng: Random, index: int) -> date:
    year = rng.randrange(1922, 1935) if index % 17 == 3 else round(rng.triangular(1936, 2018, 1962))
    return date(year, 1, 2) + timedelta(days=rng.randrange(360))


def draw_surname(rng: Random, culture: Mapping[str, Any]) -> str:
    """Draw a surname of `culture`, a few of them double."""
    own: str = rng.choice(culture["surnames"])
    if rng.random() < 0.08:
        return f"{own}-{rng.choice(rng.choice(words('names')['culture'])['surnames'])}"
    return own


def _relative(rng: Random, culture: Mapping[str, Any], birth: date, given: str) -> tuple[str, str]:
    """Draw a relation that fits the age, and a given name that is not the patient's own."""
    fitting = (
        ("MTH", "FTH") if birth.year > 2005 else ("SPS", "SIB", "CHILD") if birth.year < 1955 else ("MTH", "SPS", "SIB")
    )
    relation = rng.choice(fitting)
    gender = {"MTH": "female", "FTH": "male"}.get(relation) or rng.choice(("female", "male"))
    names = (entry.partition("/")[0] for entry in culture[gender])
    return relation, rng.choice([name for name in names if name != given])


def make_person(seed: int, index: int) -> Person:
    """Make patient `index` of the hospital that `seed` stands for."""
    rng = Random(f"{seed}/person/{index}")
    culture = rng.choice(words("names")["culture"])
    gender = rng.choice(("female", "male"))
    given, _, nick = rng.choice(culture[gender]).partition("/")
    family, city = draw_surname(rng, culture), rng.choice(words("places")["city"])
    plain = fold(family).lower().replace(" ", "").replace("'", "").replace(".", "")
    birth = _birth(rng, index)
    relation, relative = _relative(rng, culture, birth, given)
    return Person(
        index=index,
        id=new_id(rng),
        gender=gender,
        race=culture["race"],
        hispanic=culture.get("hispanic", False),
        given=given,
        middle=rng.choice("ABCDEFGHJKLMNPRSTVW"),
        family=family,
        nick=nick or given,
        maiden=draw_surname(rng, culture) if gender == "female" and rng.random() < 0.4 else None,
        mother=f"{rng.choice(culture['female']).partition('/')[0]} {rng.choice(culture['surnames'])}",
        birth=birth,
        deceased=date(2025, 12, 1) + timedelta(days=rng.randrange(28)) if index % 29 == 11 else None,
        mrn=mrn(seed, index),
        ssn=_ssn(seed, index),
        licence=f"S{number(seed, 'licence', index, 8)}",
        passport=f"X{number(seed, 'passport', index, 8)}X",
        plan=f"XQH{number(seed, 'plan', index, 9)}",
        account=str(number(seed, "account", index, 10)),
        phone=draw_phone(rng, city),
        work=draw_phone(rng, city),
        fax=draw_phone(rng, city),
        email=f"{fold(given).lower().replace(' ', '')}.{plain}@example.{rng.choice(('com', 'org', 'net'))}",
        url=f"https://www.example.org/people/{plain}{rng.randrange(100, 1000)}",
        ip=f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(100, 255)}",
        plate=f"{rng.choice('3456789')}{''.join(rng.choices('BCDFGHJKLMNPRSTVWXYZ', k=3))}{rng.randrange(100, 1000)}",
        vin=_vin(rng),
        device=f"PM{number(seed, 'device', index, 8)}",
        biometric=f"FPR-{rng.randrange(1000, 10000)}-{number(seed, 'biometric', index, 6)}",
        accession=f"S25-{number(seed, 'accession', index, 7)}",
        street=f"{rng.randrange(100, 9900)} {rng.choice(words('places')['streets'])}",
        city=city,
        latitude=round(city["latitude"] + rng.uniform(-0.03, 0.03), 6),
        longitude=round(city["longitude"] + rng.uniform(-0.03, 0.03), 6),
        employer=rng.choice(words("places")["employers"]),
        relation=relation,
        relative=f"{relative} {family}",
        relative_phone=draw_phone(rng, city),
    )
