"""Notes and consent statements of the demo as FHIR R4 resources."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Literal

from veil.demo.chart import Visit
from veil.demo.clinical import coded, updated
from veil.demo.people import Person
from veil.demo.resources import Resource, concept, head

_CLINICAL_NOTE = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "code": "clinical-note",
}
_PRIVACY_POLICY = {"system": "http://loinc.org", "code": "57016-8", "display": "Privacy policy acknowledgment Document"}


def document(person: Person, visit: Visit, id: str, note: Any, attachment: Resource) -> Resource:
    """Write the note `note` (a line of the word list) as a DocumentReference."""
    return head("DocumentReference", id, updated(visit.end)) | {
        "status": "current",
        "docStatus": "final",
        "type": concept("loinc", {"code": note["loinc"], "display": note["title"]}),
        "category": [{"coding": [_CLINICAL_NOTE]}],
        "subject": {"reference": person.reference},
        "date": visit.end.isoformat(),
        "author": [{"reference": f"Practitioner/{visit.clinician.id}"}],
        "custodian": {"reference": f"Organization/{visit.site.id}"},
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8"} | attachment}],
        "context": {
            "encounter": [{"reference": visit.reference}],
            "period": {"start": visit.start.isoformat(), "end": visit.end.isoformat()},
        },
    }


def inline(text: str) -> Resource:
    """Put `text` into an attachment, in base64."""
    return {"data": b64encode(text.encode()).decode()}


def consent(person: Person, id: str, decision: Literal["permit", "deny"]) -> Resource:
    """Write a research consent of `person`, in force, whose only provision is `decision`."""
    rule = "OPTOUT" if decision == "deny" else "OPTIN"
    return head("Consent", id, "2025-01-15T03:10:00Z") | {
        "status": "active",
        "scope": coded("consentscope", "research"),
        "category": [{"coding": [_PRIVACY_POLICY]}],
        "patient": {"reference": person.reference},
        "dateTime": "2025-01-14T10:30:00-05:00",
        "policyRule": coded("v3-ActCode", rule),
        "provision": {"type": decision},
    }
