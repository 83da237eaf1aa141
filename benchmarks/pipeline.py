"""Seconds per stage and records per second, by number of patients.

    python benchmarks/pipeline.py [PATIENTS ...]        default: 200 2000 20000

Each size starts from an empty installation in a temporary folder, with one Spark session for all of them. The gate
blocks the notes' planted leak, so publishing is that of records and photographs. The last column is the time per
patient as a ratio to that of the first size: flat or falling is what a data set that grows wants.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tests.spark.conftest import Installation, new_installation  # noqa: E402 - needs the project's folder on the path

STAGES = ("anonymize", "audit", "publish")
MODALITIES = ("tabular", "text", "photo")


def measure(patients: int) -> tuple[dict[str, float], int]:
    """Run one demo drop through every stage; give seconds by stage, and the number of records that came in."""
    from veil.demo import generate

    with tempfile.TemporaryDirectory() as folder:
        installation = new_installation(Path(folder) / "home")
        drop = Path(folder) / "drop"
        generate(drop, patients=patients)
        installation.land(drop)
        shutil.rmtree(drop)
        seconds = {"ingest": _timed(installation, "ingest")}
        for stage in STAGES:
            seconds[stage] = sum(_timed(installation, stage, modality) for modality in MODALITIES)
        began = time.monotonic()
        installation.job("release", "run", release="monthly_conditions")
        seconds["release"] = time.monotonic() - began
        counts = installation.receipt("ingest", "run").body["counts"]
    return seconds, sum(counts.values())


def _timed(installation: Installation, stage: str, modality: str = "") -> float:
    began = time.monotonic()
    arguments = {"product": "research", "modality": modality} if modality else {}
    installation.job(stage, "run", **arguments)
    return time.monotonic() - began


def main(sizes: list[int]) -> None:
    """Print a row for each size."""
    from veil.session import open_session

    open_session("benchmark").sparkContext.setLogLevel("ERROR")
    measure(10)  # warms the session up
    print(
        f"{'patients':>9} {'records':>9}", *(f"{name:>10}" for name in ("ingest", *STAGES, "release", "total")), end=""
    )
    print(f" {'records/s':>10} {'s/patient, ratio':>17}")
    first = 0.0
    for size in sizes:
        seconds, records = measure(size)
        total = sum(seconds.values())
        first = first or total / size
        print(f"{size:>9} {records:>9}", *(f"{value:>10.1f}" for value in (*seconds.values(), total)), end="")
        print(f" {records / total:>10.1f} {total / size / first:>17.2f}", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [200, 2000, 20000])
