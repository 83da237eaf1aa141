"""What may not stand in a published record, whatever the policy said."""

from __future__ import annotations

import json

import pytest

from veil.detect.canaries import record_canaries
from veil.detect.structure import violations

HEX = "9f86d081884c7d659a2feaa0c55ad015"
CLEAN = {
    "resourceType": "Observation",
    "id": HEX,
    "status": "final",
    "code": {
        "coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}],
        "text": "Heart rate",
    },
    "subject": {"reference": f"Patient/{HEX}"},
    "effectiveDateTime": "2019",
    "valueQuantity": {"value": 120, "unit": "beats/minute", "system": "http://unitsofmeasure.org", "code": "/min"},
    "note": [{"text": "Seen by Dr. [NAME] in 2019, BP 120/80."}],
}


def rules(record: object, profile: str = "safe_harbor") -> set[str]:
    return {line.partition(" at ")[0] for line in violations(record, profile=profile)}  # type: ignore[arg-type]


def test_a_clean_record_passes() -> None:
    assert violations(CLEAN, profile="safe_harbor") == []


def test_a_clean_patient_passes() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "0b9d6f6e-3c1f-4f6e-9a51-0f6b3c1d2e4f",
        "gender": "female",
        "birthDate": "1962",
        "address": [{"state": "MA", "postalCode": "021"}],
        "deceasedBoolean": False,
    }
    assert violations(patient, profile="safe_harbor") == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"effectiveDateTime": "2019-03-14T08:00:00Z"}, "date"),
        ({"effectiveDateTime": "20190314"}, "date"),
        ({"note": [{"text": "Since March 14, 2019 better."}]}, "date"),
        ({"note": [{"text": "Seen by Dr. Hallorweg."}]}, "name-after-title"),
        ({"note": [{"text": "x " * 11_000}]}, "long-text"),
        ({"note": [{"text": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"}]}, "base64"),
        ({"id": "12345"}, "id"),
        ({"subject": {"reference": "Patient/maria-ortiz"}}, "id"),
        ({"extension": [{"extension": [{"valueAddress": {"line": ["somewhere"]}}]}]}, "geography"),
        ({"extension": [{"valueAddress": {"city": "Springfield"}}]}, "geography"),
        ({"postalCode": "02134"}, "zip"),
        ({"zip": 2134}, "zip"),
        ({"age": 93}, "age"),
        ({"valueAge": {"value": 91.5, "code": "a"}}, "age"),
        ({"Maria Ortiz": 1}, "key"),
        ({"content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}]}, "inline-data"),
    ],
)
def test_a_violation_is_seen_at_any_depth(change: dict[str, object], rule: str) -> None:
    assert rule in rules(CLEAN | change)
    assert rule in rules({"resourceType": "Bundle", "entry": [{"resource": CLEAN | change}]})


def test_dates_and_cities_may_stand_under_expert_but_no_birth_date() -> None:
    record = CLEAN | {"effectiveDateTime": "2019-03-14", "extension": [{"valueAddress": {"city": "Springfield"}}]}
    assert violations(record, profile="expert") == []
    assert rules({"birthDate": "1962-03-04"}, "expert") == {"date"}


def test_a_report_never_quotes_the_record() -> None:
    record = {"Maria Ortiz": {"name": "Maria Ortiz", "note": "Dr. Ortiz, 617-555-0182"}}
    assert "Ortiz" not in " ".join(violations(record, profile="safe_harbor"))


@pytest.mark.parametrize("profile", ["safe_harbor", "expert"])
def test_every_canary_is_flagged(profile: str) -> None:
    for canary in record_canaries(profile):  # type: ignore[arg-type]
        assert violations(json.loads(canary), profile=profile)  # type: ignore[arg-type]
