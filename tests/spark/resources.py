"""FHIR resources of a few patients, and the folder that a source would deliver them in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

MRN = "http://hospital.example/mrn"


def patient(number: int, **more: Any) -> dict[str, Any]:
    names = ["Okonkwo", "Villarreal", "Thistlewood"]
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
        "name": [{"given": ["Quillon"], "family": names[number % 3]}],
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": MRN, "value": f"77041{number:03d}"}],
        "gender": "female",
        "birthDate": "1980-04-05",
        **more,
    }


def condition(number: int, code: str = "38341003", updated: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "meta": {"lastUpdated": updated},
        "subject": {"reference": f"Patient/p{number % 3}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "onsetDateTime": "2025-05-06",
    }


def denial(number: int, when: str = "2026-02-01") -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "id": f"deny{number}",
        "status": "active",
        "patient": {"reference": f"Patient/p{number}"},
        "dateTime": when,
        "provision": {"type": "deny"},
    }


def permit(number: int, when: str, **more: Any) -> dict[str, Any]:
    return {**denial(number, when), "id": f"permit{number}", "provision": {"type": "permit"}, **more}


def write(folder: Path, *resources: dict[str, Any], deleted: tuple[str, ...] = ()) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    by_type: dict[str, list[str]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    for kind, lines in by_type.items():
        (folder / f"{kind}.ndjson").write_text("\n".join(lines) + "\n")
    if deleted:
        (folder / "deleted").mkdir()
        entries = [{"request": {"method": "DELETE", "url": url}} for url in deleted]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        (folder / "deleted" / "Condition.ndjson").write_text(json.dumps(bundle) + "\n")
    return folder
