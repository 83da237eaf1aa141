"""One demo patient as a single FHIR Bundle whose entries refer to each other by ``urn:uuid:``."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import orjson

from veil.demo import clinical, documents, resources
from veil.demo.chart import make_chart
from veil.demo.drop import Drop
from veil.demo.hospital import Hospital
from veil.demo.notes import write_note
from veil.demo.people import Person, new_id
from veil.demo.resources import Resource

_SITE = "http://hospital.example/site"


def write_bundle(drop: Drop, hospital: Hospital, person: Person) -> None:
    """Write `person` as ``bundle/<uuid>.json``, a transaction (FHIR R4, http.html#transaction).

    Patients, visits and events are entries. Staff and sites are not: they are named by conditional references, which
    hold the identifier itself.
    """
    rng = Random(f"{hospital.seed}/bundle")
    visits, allergies = make_chart(hospital, person)
    style, text, plants = write_note(rng, person, visits[0], person.index)
    updated = clinical.updated(visits[-1].end)
    entries = [
        resources.patient(person, updated),
        *clinical.record(person, visits, allergies),
        documents.document(person, visits[0], new_id(rng), style, documents.inline(text)),
    ]
    links = {f"{entry['resourceType']}/{entry['id']}": f"urn:uuid:{entry['id']}" for entry in entries}
    for who in hospital.staff:
        links[f"Practitioner/{who.id}"] = f"Practitioner?identifier={clinical.NPI}|{who.npi}"
    for site in hospital.sites:
        links[f"Organization/{site.id}"] = f"Organization?identifier={_SITE}|{site.id}"
        links[f"Location/{site.ward_id}"] = f"Location?identifier={_SITE}|{site.ward_id}"
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(entry, links) for entry in entries]}
    path = f"bundle/{new_id(rng)}.json"
    drop.file(path, orjson.dumps(bundle, option=orjson.OPT_INDENT_2))
    drop.counts.update(entry["resourceType"] for entry in entries)
    drop.plant(path, resources.patient_plants(person))
    drop.plant(path, [(kind, value, "DocumentReference.content") for kind, value in plants])


def _entry(resource: Resource, links: Mapping[str, str]) -> Resource:
    kind = resource["resourceType"]
    return {
        "fullUrl": f"urn:uuid:{resource['id']}",
        "resource": _relink(resource, links),
        "request": {"method": "POST", "url": kind},
    }


def _relink(value: object, links: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _relink(each, links) for key, each in value.items()}
    if isinstance(value, list):
        return [_relink(each, links) for each in value]
    return links.get(value, value) if isinstance(value, str) else value
