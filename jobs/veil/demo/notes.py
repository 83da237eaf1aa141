"""Clinical notes of the demo, and the identifiers that each one holds as it spells them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random
from string import Formatter
from typing import Any

from veil.contracts import Kind
from veil.demo.chart import Visit, likely
from veil.demo.clinical import dashed
from veil.demo.people import Person, fold
from veil.demo.words import words

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Fill = Mapping[str, tuple[Kind | None, str]]
"""What replaces each placeholder, with its kind where the value is worth searching for."""


def _dates(prefix: str, day: date, kind: Kind | None) -> dict[str, tuple[Kind | None, str]]:
    month = _MONTHS[day.month - 1]
    forms = {
        "iso": day.isoformat(),
        "us": f"{day.month:02d}/{day.day:02d}/{day.year}" if kind else f"{day.month}/{day.day}/{day.year % 100:02d}",
        "long": f"{month} {day.day}, {day.year}",
        "mil": f"{day.day:02d}-{month.upper()}-{day.year}",
        "short": f"{day.month}/{day.day}",
    }
    return {f"{prefix}_{form}": (kind, text) for form, text in forms.items()}


def _who(person: Person) -> dict[str, tuple[Kind | None, str]]:
    relation = words("names")["relations"][person.relation]
    family, given = fold(person.family), fold(person.given)
    return {
        "name": ("NAME", person.name),
        "name_upper": ("NAME", f"{given} {family}".upper()),
        "name_lower": ("NAME", f"{given} {family}".lower()),
        "name_last_first": ("NAME", f"{family}, {given}".upper()),
        "surname": ("NAME", person.family),
        "given": (None, person.given),
        "nick": (None, person.nick),
        "title": (None, "Ms." if person.gender == "female" else "Mr."),
        "sex": (None, "woman" if person.gender == "female" else "man"),
        "relation": (None, relation),
        "relation_cap": (None, relation.capitalize()),
        "relative": ("NAME", person.relative),
        "relative_upper": ("NAME", fold(person.relative).upper()),
        "relative_phone": ("PHONE", dashed(person.relative_phone)),
        **_dates("dob", person.birth, "DATE"),
    }


def _numbers(person: Person) -> dict[str, tuple[Kind | None, str]]:
    digits = dashed(person.phone)
    return {
        "phone": ("PHONE", person.phone),
        "phone_dashes": ("PHONE", digits),
        "phone_dots": ("PHONE", f"{digits.replace('-', '.')} x{200 + person.index % 100}"),
        "fax": ("FAX", dashed(person.fax)),
        "email": ("EMAIL", person.email),
        "ssn": ("SSN", person.ssn),
        "mrn": ("MRN", person.mrn),
        "plan": ("HEALTH_PLAN", person.plan),
        "account": ("ACCOUNT", person.account),
        "licence": ("LICENSE", person.licence),
        "passport": ("ID", person.passport),
        "plate": ("VEHICLE", person.plate),
        "vin": ("VEHICLE", person.vin),
        "device": ("DEVICE", person.device),
        "url": ("URL", person.url),
        "ip": ("IP", person.ip),
        "biometric": ("BIOMETRIC", person.biometric),
        "accession": ("ID", person.accession),
        "street": ("LOCATION", person.street),
        "city": (None, person.city["name"]),
        "state": (None, person.city["state"]),
        "zip": (None, person.city["zip"]),
        "employer": ("ORGANIZATION", person.employer),
    }


def _visit(visit: Visit) -> dict[str, tuple[Kind | None, str]]:
    who, site = visit.clinician, visit.site
    return {
        "doctor": ("NAME", f"Dr. {who.given} {who.family}"),
        "doctor_surname": ("NAME", f"Dr. {who.family}"),
        "doctor_surname_upper": ("NAME", f"DR. {fold(who.family)}".upper()),
        "hospital": ("ORGANIZATION", visit.site.name),
        "hospital_upper": ("ORGANIZATION", visit.site.name.upper()),
        "clinic_phone": ("PHONE", dashed(site.phone)),
        **_dates("date", visit.end.date(), None),
    }


def _findings(rng: Random, person: Person, visit: Visit) -> dict[str, tuple[Kind | None, str]]:
    clinic = words("clinic")
    first = visit.conditions[0].entry
    second = rng.choice([entry for entry in likely(person) if entry is not first])
    drug, drug2 = (entry["sig"] for entry in rng.sample(clinic["drug"], 2))
    dx, dx2 = (entry["display"].removesuffix(" (disorder)") for entry in (first, second))
    texts = {
        "age": str((visit.start.date() - person.birth).days * 100 // 36525),
        "condition": dx[0].lower() + dx[1:] if dx[1:4] != dx[1:4].upper() and "'" not in dx else dx,
        "condition_upper": dx.upper(),
        "condition2": dx2[0].lower() + dx2[1:] if "'" not in dx2 else dx2,
        "drug": drug,
        "drug_upper": drug.upper(),
        "drug2": drug2,
        "bp": f"{visit.pressure[1]}/{visit.pressure[2]}",
        "hr": str(rng.randrange(52, 118)),
        "temp": f"{rng.uniform(36.2, 39.3):.1f}",
        "creat": f"{rng.uniform(0.6, 3.4):.2f}",
        "wbc": f"{rng.uniform(3.4, 17.9):.1f}",
        "a1c": f"{rng.uniform(4.9, 11.6):.1f}",
        "weight": f"{rng.uniform(45, 128):.1f}",
    }
    return {name: (None, text) for name, text in texts.items()}


def write_note(rng: Random, person: Person, visit: Visit, turn: int) -> tuple[Any, str, list[tuple[Kind, str]]]:
    """Write the note of `visit` in the style whose turn it is.

    Parameters
    ----------
    rng
        Where the findings are drawn from.
    person, visit
        Whom and what the note is about.
    turn
        A running number: the styles take turns, so that every kind of identifier occurs early.

    Returns
    -------
    tuple[Any, str, list[tuple[Kind, str]]]
        The style's line of the word list, the text, and the identifiers it holds.
    """
    styles = words("notes")["note"]
    style = styles[turn % len(styles)]
    fill: Fill = {**_who(person), **_numbers(person), **_visit(visit), **_findings(rng, person, visit)}
    used = dict.fromkeys(name for _, name, _, _ in Formatter().parse(style["text"]) if name)
    text = style["text"].format_map({name: fill[name][1] for name in used})
    return style, text, [(kind, value) for kind, value in map(fill.__getitem__, used) if kind]
