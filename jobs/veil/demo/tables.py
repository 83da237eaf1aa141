"""Tables of the demo: an export in Synthea's own columns, and a table of the hospital's own with its role file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from veil.demo.chart import Event, Visit
from veil.demo.drop import Drop
from veil.demo.hospital import Hospital
from veil.demo.people import MRN_SYSTEM, Person
from veil.demo.words import words

_PAYER = str(UUID(int=0x5EED, version=4))
_ROLES = f"""\
table = "pain_scores"
id = ["mrn", "time"]
subject = "mrn"
subject_system = "{MRN_SYSTEM}"

[columns]
mrn = "subject"
time = "date"
score = "measure"
scale = "code"
nurse = "direct:NAME"
comment = "text"
"""


def _utc(when: datetime) -> str:
    return (when - (when.utcoffset() or timedelta())).strftime("%Y-%m-%dT%H:%M:%SZ")


def synthea_patient(drop: Drop, person: Person, visits: Sequence[Visit]) -> None:
    """Write `person` and `visits` to the four Synthea tables."""
    drop.row(
        "csv/patients.csv",
        {
            "Id": person.id,
            "BIRTHDATE": person.birth.isoformat(),
            "DEATHDATE": person.deceased.isoformat() if person.deceased else "",
            "SSN": person.ssn,
            "DRIVERS": person.licence,
            "PASSPORT": person.passport,
            "PREFIX": "Ms." if person.gender == "female" else "Mr.",
            "FIRST": person.given,
            "LAST": person.family,
            "SUFFIX": "",
            "MAIDEN": person.maiden or "",
            "MARITAL": "M" if person.relation == "SPS" else "",
            "RACE": words("names")["races"][person.race].split()[0].lower(),
            "ETHNICITY": "hispanic" if person.hispanic else "nonhispanic",
            "GENDER": person.gender[0].upper(),
            "BIRTHPLACE": f"{person.city['name']}  {person.city['state']}  US",
            "ADDRESS": person.street,
            "CITY": person.city["name"],
            "STATE": person.city["state"],
            "COUNTY": person.city["county"],
            "ZIP": person.city["zip"],
            "LAT": person.latitude,
            "LON": person.longitude,
            "HEALTHCARE_EXPENSES": "4810.25",
            "HEALTHCARE_COVERAGE": "3120.00",
        },
    )
    if person.maiden:
        drop.plant("csv/patients.csv", [("NAME", person.maiden, "MAIDEN")])
    drop.plant(
        "csv/patients.csv",
        [
            ("NAME", person.family, "LAST"),
            ("DATE", person.birth.isoformat(), "BIRTHDATE"),
            ("SSN", person.ssn, "SSN"),
            ("LICENSE", person.licence, "DRIVERS"),
            ("ID", person.passport, "PASSPORT"),
            ("LOCATION", person.street, "ADDRESS"),
        ],
    )
    for visit in visits:
        _synthea_visit(drop, person, visit)


def _synthea_visit(drop: Drop, person: Person, visit: Visit) -> None:
    keys = {"PATIENT": person.id, "ENCOUNTER": visit.id}
    reason = visit.conditions[0].entry
    drop.row(
        "csv/encounters.csv",
        {
            "Id": visit.id,
            "START": _utc(visit.start),
            "STOP": _utc(visit.end),
            "PATIENT": person.id,
            "ORGANIZATION": visit.site.id,
            "PROVIDER": visit.clinician.id,
            "PAYER": _PAYER,
            "ENCOUNTERCLASS": visit.entry["synthea"],
            "CODE": visit.entry["code"],
            "DESCRIPTION": visit.entry["display"],
            "BASE_ENCOUNTER_COST": "85.55",
            "TOTAL_CLAIM_COST": "142.58",
            "PAYER_COVERAGE": "100.00",
            "REASONCODE": reason["code"],
            "REASONDESCRIPTION": reason["display"],
        },
    )
    for event in visit.conditions:
        start = {"START": visit.start.date().isoformat(), "STOP": ""}
        code = {"CODE": event.entry["code"], "DESCRIPTION": event.entry["display"]}
        drop.row("csv/conditions.csv", start | keys | code)
    for event in visit.observations:
        drop.row("csv/observations.csv", _observation(event, keys))


def _observation(event: Event, keys: dict[str, str]) -> dict[str, object]:
    return {
        "DATE": _utc(event.when),
        **keys,
        "CATEGORY": event.entry["category"],
        "CODE": event.entry["code"],
        "DESCRIPTION": event.entry["display"],
        "VALUE": event.value,
        "UNITS": event.entry["unit"],
        "TYPE": "numeric",
    }


def role_file(drop: Drop) -> None:
    """Write what the columns of ``pain_scores.csv`` are."""
    drop.file("csv/pain_scores.columns.toml", _ROLES.encode())


def pain_scores(drop: Drop, hospital: Hospital, person: Person, visit: Visit) -> None:
    """Write two pain scores of `person`, taken four hours apart from the start of `visit` on."""
    rng = Random(f"{hospital.seed}/pain/{person.index}")
    nurse = rng.choice(hospital.staff)
    name = f"{nurse.given} {nurse.family}"
    for hours in (0, 4):
        score = rng.randrange(11)
        row = {
            "mrn": person.mrn,
            "time": _utc(visit.start + timedelta(hours=hours)),
            "score": score,
            "scale": "72514-3",
            "nurse": name,
            "comment": f"{person.name} reports {score}/10, R hip, worse at night" if score > 6 else "",
        }
        drop.row("csv/pain_scores.csv", row)
    drop.plant("csv/pain_scores.csv", [("MRN", person.mrn, "mrn"), ("NAME", name, "nurse")])
