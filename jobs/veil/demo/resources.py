"""Patients, staff and sites as FHIR R4 resources in the shape of US Core, identifiers in right and wrong places."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from veil.contracts import Kind
from veil.demo.hospital import Clinician, Site
from veil.demo.people import MRN_SYSTEM, Person
from veil.demo.words import words

Resource = dict[str, Any]
Plant = tuple[Kind, str, str]
"""An identifier to be searched for: kind, value, and the element that holds it."""

_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_VENDOR = "http://vendor.example/fhir/StructureDefinition/chart-label"
_PROFILES = {"Patient": "patient", "Encounter": "encounter", "Condition": "condition-encounter-diagnosis"}
_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def head(kind: str, id: str, updated: str) -> Resource:
    """Begin a resource: its type, id and `meta` with the instant `updated`."""
    meta: Resource = {"versionId": "1", "lastUpdated": updated}
    if kind in _PROFILES:
        meta["profile"] = [f"{_CORE}/us-core-{_PROFILES[kind]}"]
    return {"resourceType": kind, "id": id, "meta": meta}


def concept(system: str, entry: Any) -> Resource:
    """Code `entry` in the code system that the word list calls `system`, with its display as text."""
    coding = {"system": words("clinic")["systems"][system], "code": entry["code"], "display": entry["display"]}
    return {"coding": [coding], "text": entry["display"]}


def _narrative(person: Person) -> Resource:
    text = f"{person.name}, MRN {person.mrn}, born {person.birth.isoformat()}, {person.street}, {person.city['name']}"
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(text, quote=False)}</div>',
    }


def _group(url: str, code: str, display: str) -> Resource:
    coding = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": display}
    return {
        "url": f"{_CORE}/{url}",
        "extension": [{"url": "ombCategory", "valueCoding": coding}, {"url": "text", "valueString": display}],
    }


def _extensions(person: Person) -> list[Resource]:
    ethnicity = ("2135-2", "Hispanic or Latino") if person.hispanic else ("2186-5", "Not Hispanic or Latino")
    birth_place = {"city": person.city["name"], "state": person.city["state"], "country": "US"}
    return [
        _group("us-core-race", person.race, words("names")["races"][person.race]),
        _group("us-core-ethnicity", *ethnicity),
        {"url": f"{_CORE}/us-core-birthsex", "valueCode": person.gender[0].upper()},
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": birth_place},
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": person.mother},
        {"url": _VENDOR, "valueString": f"chart {person.mrn}"},
    ]


def _identifiers(person: Person) -> list[Resource]:
    rows = (
        ("MR", "Medical Record Number", MRN_SYSTEM, person.mrn),
        ("SS", "Social Security Number", "http://hl7.org/fhir/sid/us-ssn", person.ssn),
        ("DL", "Driver's license number", "urn:oid:2.16.840.1.113883.4.3.25", person.licence),
        ("PPN", "Passport number", "http://hl7.org/fhir/sid/passport-USA", person.passport),
        ("MB", "Member Number", "http://plan.example/member", person.plan),
        ("AN", "Account number", "http://hospital.example/account", person.account),
    )
    return [
        {
            "type": {"coding": [{"system": _TYPES, "code": code, "display": text}], "text": text},
            "system": system,
            "value": value,
        }
        for code, text, system, value in rows
    ]


def _names(person: Person) -> list[Resource]:
    given = [person.given, f"{person.middle}."]
    prefix = ["Ms." if person.gender == "female" else "Mr."]
    names = [{"use": "official", "text": person.name, "family": person.family, "given": given, "prefix": prefix}]
    if person.nick != person.given:
        names.append({"use": "nickname", "given": [person.nick]})
    if person.maiden:
        names.append({"use": "maiden", "family": person.maiden, "given": given})
    return names


def address(street: str, city: Any, position: tuple[float, float] | None = None) -> Resource:
    """Write an address; `position` is latitude and longitude in degrees (the standard extension geolocation)."""
    written = {
        "line": [street],
        "city": city["name"],
        "state": city["state"],
        "postalCode": city["zip"],
        "country": "US",
    }
    if position is None:
        return written
    parts = [
        {"url": url, "valueDecimal": value} for url, value in zip(("latitude", "longitude"), position, strict=True)
    ]
    return {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": parts}],
        **written,
    }


def patient(person: Person, updated: str) -> Resource:
    """Write `person` as a Patient."""
    relation = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": person.relation}
    written = head("Patient", person.id, updated) | {
        "text": _narrative(person),
        "extension": _extensions(person),
        "identifier": _identifiers(person),
        "active": True,
        "name": _names(person),
        "telecom": [
            {"system": "phone", "value": person.phone, "use": "home"},
            {"system": "phone", "value": person.work, "use": "work"},
            {"system": "fax", "value": person.fax, "use": "home"},
            {"system": "email", "value": person.email},
            {"system": "url", "value": person.url},
        ],
        "gender": person.gender,
        "birthDate": person.birth.isoformat(),
        "address": [address(person.street, person.city, (person.latitude, person.longitude))],
        "contact": [
            {
                "relationship": [{"coding": [relation]}],
                "name": {"text": person.relative},
                "telecom": [{"system": "phone", "value": person.relative_phone}],
            }
        ],
    }
    if person.deceased:
        written["deceasedDateTime"] = f"{person.deceased.isoformat()}T04:20:00-05:00"
    if person.index % 50 == 0:
        written["photo"] = [{"contentType": "image/jpeg", "url": photo_url(person)}]
    return written


def photo_url(person: Person) -> str:
    """Where the hospital's portal serves the photograph of `person`."""
    return f"https://portal.hospital.example/photo/{person.mrn}.jpg"


def patient_plants(person: Person) -> Iterator[Plant]:
    """List the identifiers of `patient`'s record that are distinctive enough to be searched for."""
    names = (person.name, person.family, person.relative, person.mother, person.maiden or person.family)
    for name in dict.fromkeys(names):
        yield "NAME", name, "Patient.contact" if name == person.relative else "Patient.name"
    yield "DATE", person.birth.isoformat(), "Patient.birthDate"
    yield "MRN", person.mrn, "Patient.identifier"
    yield "MRN", f"chart {person.mrn}", "Patient.extension"
    yield "SSN", person.ssn, "Patient.identifier"
    yield "LICENSE", person.licence, "Patient.identifier"
    yield "ID", person.passport, "Patient.identifier"
    yield "HEALTH_PLAN", person.plan, "Patient.identifier"
    yield "ACCOUNT", person.account, "Patient.identifier"
    for phone in dict.fromkeys((person.phone, person.work)):
        yield "PHONE", phone, "Patient.telecom"
    yield "PHONE", person.relative_phone, "Patient.contact"
    yield "FAX", person.fax, "Patient.telecom"
    yield "EMAIL", person.email, "Patient.telecom"
    yield "URL", person.url, "Patient.telecom"
    yield "LOCATION", person.street, "Patient.address"
    for degrees in (person.latitude, person.longitude):
        if len(str(degrees)) >= 9:
            yield "LOCATION", str(degrees), "Patient.address.extension"
    if person.index % 50 == 0:
        yield "URL", photo_url(person), "Patient.photo"


def practitioner(clinician: Clinician, updated: str) -> tuple[Resource, list[Plant]]:
    """Write `clinician` as a Practitioner, and list what it plants."""
    written = head("Practitioner", clinician.id, updated) | {
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": clinician.npi}],
        "active": True,
        "name": [{"family": clinician.family, "given": [clinician.given], "prefix": ["Dr."]}],
        "telecom": [
            {"system": "phone", "value": clinician.phone, "use": "work"},
            {"system": "email", "value": clinician.email, "use": "work"},
        ],
        "qualification": [
            {"code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0360", "code": "MD"}]}}
        ],
    }
    return written, [
        ("NAME", clinician.family, "Practitioner.name"),
        ("LICENSE", clinician.npi, "Practitioner.identifier"),
        ("PHONE", clinician.phone, "Practitioner.telecom"),
        ("EMAIL", clinician.email, "Practitioner.telecom"),
    ]


def organization(site: Site, updated: str) -> tuple[Resource, list[Plant]]:
    """Write the hospital of `site` as an Organization, and list what it plants."""
    kind = {"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov"}
    written = head("Organization", site.id, updated) | {
        "active": True,
        "type": [{"coding": [kind]}],
        "name": site.name,
        "telecom": [{"system": "phone", "value": site.phone}],
        "address": [address(site.street, site.city)],
    }
    return written, [
        ("ORGANIZATION", site.name, "Organization.name"),
        ("PHONE", site.phone, "Organization.telecom"),
        ("LOCATION", site.street, "Organization.address"),
    ]


def location(site: Site, updated: str) -> tuple[Resource, list[Plant]]:
    """Write the ward of `site` as a Location, and list what it plants."""
    written = head("Location", site.ward_id, updated) | {
        "status": "active",
        "name": site.ward,
        "address": address(site.street, site.city),
        "managingOrganization": {"reference": f"Organization/{site.id}", "display": site.name},
    }
    return written, [("ORGANIZATION", site.ward, "Location.name")]
