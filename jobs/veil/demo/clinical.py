"""A demo patient's visits as FHIR R4 resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from veil.demo.chart import Event, Visit
from veil.demo.people import Person, new_id
from veil.demo.resources import Resource, concept, head
from veil.demo.words import words

CODES = "http://terminology.hl7.org/CodeSystem"
NPI = "http://hl7.org/fhir/sid/us-npi"


def updated(when: datetime) -> str:
    """Say when the source last touched a record of `when`: the night after, in UTC."""
    night = when.astimezone(UTC).replace(hour=3, minute=10, second=0) + timedelta(days=1)
    return night.strftime("%Y-%m-%dT%H:%M:%SZ")


def coded(system: str, code: str) -> Resource:
    """Code `code` in HL7's own code system `system`."""
    return {"coding": [{"system": f"{CODES}/{system}", "code": code}]}


def encounter(person: Person, visit: Visit) -> Resource:
    """Write `visit` as an Encounter."""
    who = visit.clinician
    display = f"Dr. {who.given} {who.family}"
    return head("Encounter", visit.id, updated(visit.end)) | {
        "status": "finished",
        "class": {"system": f"{CODES}/v3-ActCode", "code": visit.entry["class"]},
        "type": [concept("snomed", visit.entry)],
        "subject": {"reference": person.reference, "display": person.name},
        "participant": [
            {
                "type": [coded("v3-ParticipationType", "PPRF")],
                "individual": {"reference": f"Practitioner/{who.id}", "display": display},
            }
        ],
        "period": {"start": visit.start.isoformat(), "end": visit.end.isoformat()},
        "reasonCode": [concept("snomed", visit.conditions[0].entry)],
        "location": [{"location": {"reference": f"Location/{visit.site.ward_id}", "display": visit.site.ward}}],
        "serviceProvider": {"reference": f"Organization/{visit.site.id}", "display": visit.site.name},
    }


def _event(kind: str, event: Event, person: Person, visit: Visit) -> Resource:
    subject = "patient" if kind in {"Immunization", "AllergyIntolerance"} else "subject"
    return head(kind, event.id, updated(visit.end)) | {
        subject: {"reference": person.reference},
        "encounter": {"reference": visit.reference},
    }


def condition(person: Person, visit: Visit, event: Event) -> Resource:
    """Write a diagnosis as a Condition; a few carry a telephone number in their note."""
    code = concept("snomed", event.entry)
    icd = {"system": words("clinic")["systems"]["icd"], "code": event.entry["icd"]}
    code["coding"].append(icd)
    written = _event("Condition", event, person, visit) | {
        "clinicalStatus": coded("condition-clinical", "active"),
        "verificationStatus": coded("condition-ver-status", "confirmed"),
        "category": [coded("condition-category", "encounter-diagnosis")],
        "code": code,
        "onsetDateTime": event.when.isoformat(),
        "recordedDate": event.when.isoformat(),
    }
    if has_call(person):
        written["note"] = [{"text": f"Discussed results by phone, {dashed(person.phone)}. No further work-up."}]
    return written


def has_call(person: Person) -> bool:
    """Say whether the diagnoses of `person` hold a telephone number in their note."""
    return person.index % 20 == 2


def dashed(phone: str) -> str:
    """Write "(617) 555-0182" as "617-555-0182"."""
    return phone[1:].replace(") ", "-")


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": words("clinic")["systems"]["ucum"], "code": unit}


def observation(person: Person, visit: Visit, event: Event) -> Resource:
    """Write a measurement as an Observation with a quantity, and with the reference range where there is one."""
    written = _event("Observation", event, person, visit) | {
        "status": "final",
        "category": [coded("observation-category", event.entry["category"])],
        "code": concept("loinc", event.entry),
        "effectiveDateTime": event.when.isoformat(),
        "valueQuantity": _quantity(event.value, event.entry["unit"]),
    }
    if "normal" in event.entry:
        low, high = (_quantity(value, event.entry["unit"]) for value in event.entry["normal"])
        written["referenceRange"] = [{"low": low, "high": high}]
    return written


def blood_pressure(person: Person, visit: Visit) -> Resource:
    """Write the blood pressure of `visit` as an Observation with two components, in mmHg."""
    panel = words("clinic")["pressure"]
    id, *values = visit.pressure
    return _event("Observation", Event(id, panel, visit.start), person, visit) | {
        "status": "final",
        "category": [coded("observation-category", "vital-signs")],
        "code": concept("loinc", panel),
        "effectiveDateTime": visit.start.isoformat(),
        "component": [
            {
                "code": {"coding": [{"system": words("clinic")["systems"]["loinc"], "code": panel[which]}]},
                "valueQuantity": _quantity(value, "mm[Hg]"),
            }
            for which, value in zip(("systolic", "diastolic"), values, strict=True)
        ],
    }


def _smoking_status(person: Person, visit: Visit) -> Resource:
    """Write whether `person` smokes as an Observation with a coded value; its id comes from the patient's."""
    id = new_id(Random(person.id))
    status = words("clinic")["smoking"]
    return _event("Observation", Event(id, status, visit.start), person, visit) | {
        "status": "final",
        "category": [coded("observation-category", "social-history")],
        "code": concept("loinc", status),
        "effectiveDateTime": visit.start.isoformat(),
        "valueCodeableConcept": concept("snomed", status["values"][person.index % 3]),
    }


def _given(person: Person, visit: Visit) -> Iterator[Resource]:
    """Yield what was ordered, done and injected in `visit`."""
    requester = {"reference": f"Practitioner/{visit.clinician.id}"}
    for event in visit.drugs:
        yield _event("MedicationRequest", event, person, visit) | {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept("rxnorm", event.entry),
            "authoredOn": event.when.isoformat(),
            "requester": requester,
            "dosageInstruction": [{"sequence": 1, "text": event.entry["sig"], "asNeededBoolean": False}],
        }
    for event in visit.procedures:
        yield _event("Procedure", event, person, visit) | {
            "status": "completed",
            "code": concept("snomed", event.entry),
            "performedPeriod": {"start": visit.start.isoformat(), "end": visit.end.isoformat()},
            "performer": [{"actor": requester}],
        }
    for event in visit.vaccines:
        yield _event("Immunization", event, person, visit) | {
            "status": "completed",
            "vaccineCode": concept("cvx", event.entry),
            "occurrenceDateTime": event.when.isoformat(),
            "primarySource": True,
        }


def record(person: Person, visits: Sequence[Visit], allergies: Sequence[Event]) -> Iterator[Resource]:
    """Yield the clinical resources of `person`, notes and consent apart."""
    for visit in visits:
        yield encounter(person, visit)
        for event in visit.conditions:
            yield condition(person, visit, event)
        for event in visit.observations:
            yield observation(person, visit, event)
        yield blood_pressure(person, visit)
        yield from _given(person, visit)
    yield _smoking_status(person, visits[0])
    for event in allergies:
        yield _event("AllergyIntolerance", event, person, visits[0]) | {
            "clinicalStatus": coded("allergyintolerance-clinical", "active"),
            "verificationStatus": coded("allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": [event.entry["category"]],
            "code": concept(event.entry["system"], event.entry),
            "recordedDate": event.when.isoformat(),
        }
