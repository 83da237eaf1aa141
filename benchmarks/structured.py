"""Resources per second through structured anonymization alone, beside a plain copy of the same rows by Spark.

    python benchmarks/structured.py [RESOURCES ...]        default: 10000 100000 1000000

A bulk export of Encounter resources of about 1.6 kB is generated and ingested for each size. Timed are the anonymize
stage, from restricted bronze to its committed staging table with its findings and receipt, and its peer: Spark reading
the same rows of bronze and writing them as a Delta table. Both run in one session, in turns, after a run that warms it
up; the least of several times is printed. The last column is the time per resource as a ratio to that of the first
size: flat or falling is what a data set that grows wants.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tests.spark.conftest import Installation, new_installation  # noqa: E402 - needs the project's folder on the path

ENCOUNTERS_PER_PATIENT = 40
STAFF = 200
SEEN = 4
REASONS = (
    ("185347001", "Encounter for problem (procedure)"),
    ("162673000", "General examination of patient (procedure)"),
    ("390906007", "Follow-up encounter (procedure)"),
    ("50849002", "Emergency room admission (procedure)"),
)
CONDITIONS = (
    ("46177005", "End-stage renal disease (disorder)"),
    ("44054006", "Diabetes mellitus type 2 (disorder)"),
    ("38341003", "Hypertensive disorder, systemic arterial (disorder)"),
    ("195662009", "Acute viral pharyngitis (disorder)"),
)
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"
SOURCE = "https://hospital.example/ehr"


def _concept(code: str, text: str) -> dict[str, object]:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": text}], "text": text}


def _encounter(number: int, patients: int, chance: random.Random) -> dict[str, object]:
    start = f"{chance.randrange(1990, 2025)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T0"
    period = {"start": f"{start}2:25:16-04:00", "end": f"{start}6:20:16-04:00"}
    uid = str(UUID(int=chance.getrandbits(128)))
    patient = chance.randrange(patients)
    doctor, site = ((patient + chance.randrange(SEEN)) % STAFF for _ in range(2))  # people keep to a few
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PPRF"}
    return {
        "resourceType": "Encounter",
        "id": f"e{number}",
        "meta": {"lastUpdated": "2026-01-01T00:00:00Z", "profile": [CORE]},
        "identifier": [{"use": "official", "system": SOURCE, "value": uid}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [_concept(*chance.choice(REASONS))],
        "subject": {"reference": f"Patient/p{patient}", "display": f"Mrs. Ada{patient} Quill{patient}"},
        "participant": [
            {
                "type": [{"coding": [role | {"display": "primary performer"}], "text": "primary performer"}],
                "period": period,
                "individual": {"reference": f"Practitioner/d{doctor}", "display": f"Dr. Otto{doctor} Marsh{doctor}"},
            }
        ],
        "period": period,
        "reasonCode": [_concept(*chance.choice(CONDITIONS))],
        "location": [{"location": {"reference": f"Location/l{site}", "display": "NEWMAN MEMORIAL COUNTY HOSPITAL"}}],
        "serviceProvider": {"reference": f"Organization/o{site}", "display": "NEWMAN MEMORIAL COUNTY HOSPITAL"},
    }


def export(folder: Path, resources: int) -> None:
    """Write a bulk export with `resources` encounters, and the patients, staff and sites that they name."""
    folder.mkdir()
    chance = random.Random(resources)
    patients = max(1, resources // ENCOUNTERS_PER_PATIENT)
    others = {
        "Patient": (
            {
                "id": f"p{n}",
                "name": [{"family": f"Quill{n}", "given": [f"Ada{n}"]}],
                "birthDate": f"{1940 + n % 70}-02-03",
                "telecom": [{"system": "phone", "value": f"555-{n:07d}"}],
            }
            for n in range(patients)
        ),
        "Practitioner": (
            {"id": f"d{n}", "name": [{"family": f"Marsh{n}", "given": [f"Otto{n}"]}]} for n in range(STAFF)
        ),
        "Organization": ({"id": f"o{n}", "name": f"NEWMAN MEMORIAL COUNTY HOSPITAL {n}"} for n in range(STAFF)),
        "Location": ({"id": f"l{n}", "name": f"Ward {n}"} for n in range(STAFF)),
        "Encounter": (_encounter(number, patients, chance) for number in range(resources)),
    }
    for kind, each in others.items():
        with (folder / f"{kind}.ndjson").open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps({"resourceType": kind} | resource) + "\n" for resource in each)


def measure(resources: int, runs: int) -> tuple[float, float]:
    """Give the seconds of the anonymize stage, and of the plain copy."""
    with tempfile.TemporaryDirectory() as folder:
        installation = new_installation(Path(folder) / "home")
        export(Path(folder) / "drop", resources)
        installation.land(Path(folder) / "drop")
        shutil.rmtree(Path(folder) / "drop")
        installation.job("ingest", "run")
        target = Path(folder) / "copy"
        times = [
            (_timed(lambda: _anonymize(installation)), _timed(lambda: _copy(installation, target))) for _ in range(runs)
        ]
    return min(own for own, _ in times), min(peer for _, peer in times)


def _anonymize(installation: Installation) -> None:
    installation.job("anonymize", "run", product="research", modality="tabular")


def _copy(installation: Installation, target: Path) -> None:
    from pyspark.sql import SparkSession

    spark = SparkSession.getActiveSession()
    assert spark is not None
    rows = spark.read.format("delta").load(str(installation.settings.lake / "restricted" / "bronze"))
    rows.write.format("delta").mode("overwrite").save(str(target))


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def main(sizes: list[int]) -> None:
    """Print a row for each size."""
    from veil.session import open_session

    open_session("benchmark").sparkContext.setLogLevel("ERROR")
    measure(5000, 2)  # warms the session up
    print(
        f"{'resources':>10} {'veil s':>8} {'copy s':>8} {'veil/s':>9} {'copy/s':>9} {'ratio':>6} "
        f"{'s/resource, ratio':>18}"
    )
    first = 0.0
    for size in sizes:
        own, peer = measure(size, runs=3)
        first = first or own / size
        print(
            f"{size:>10} {own:>8.2f} {peer:>8.2f} {size / own:>9.0f} {size / peer:>9.0f} {peer / own:>6.2f} "
            f"{own / size / first:>18.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
