"""Differentially private counts beside OpenDP on Polars, Tumult Analytics and PipelineDP; and the ledger's own speed.

    python benchmarks/dp.py [ROWS ...]        default: 1000000 10000000

Records of ROWS / 20 patients under 2,000 codes are written as Parquet once; every system counts them by code with
L0 = 5, L-infinity = 1 and rho = 0.05 (PipelineDP: its own Gaussian at epsilon 1, delta 1e-7), from reading the file to
noisy numbers, in turns; the median of three is printed, after a warm-up. Tumult and PipelineDP run in environments of
their own, made by uv, since they ask for other versions of Spark and pandas than Veil has; where one cannot be made,
the benchmark says so. PipelineDP is given at most 1,000,000 rows, the others 10,000,000, each a limit of 600 s. The
ledger is measured on SQLite, and on Postgres where VEIL_BENCH_POSTGRES is the URL of an empty database
(postgresql+psycopg://…).
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from veil import ledger
from veil.control import Store
from veil.privacy import bounding, drawing, plan
from veil.privacy.accounting import Draw, pld_epsilon, rho_for
from veil.privacy.load import Release, load_release
from veil.privacy.mechanism import Mechanism
from veil.privacy.records import UNIT
from veil.session import open_session

CODES, PER_PATIENT, L0, RHO = 2000, 20, 5, 0.05
DECLARED = f"""name = "codes"
title = "Patients by code"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
period = "2026"
[records]
types = ["Condition"]
[columns]
code = {{ read = "code" }}
[keys.code]
values = {json.dumps([f"c{number:04d}" for number in range(CODES)])}
[[queries]]
name = "patients"
statistic = "patients"
cells = {L0}
rho = {RHO}
[cost]
delta = 1e-7
"""
PROJECT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).with_name("dp_peers")
MOST_FOR_PIPELINE_DP, MOST_FOR_PEERS, LIMIT = 1_000_000, 10_000_000, 600
POSTGRES = "VEIL_BENCH_POSTGRES"


def generate(rows: int, folder: Path) -> Path:
    """Write the records: codes are skewed, a patient has 20 records on average, names are 32 characters."""
    path = folder / f"records-{rows}"
    spark = open_session("benchmark")
    patients = rows // PER_PATIENT
    made = spark.range(0, rows, 1, 4 * 2).selectExpr(
        f"md5(cast(pmod(xxhash64(id, 1), {patients}) AS string)) AS patient",
        f"concat('c', lpad(cast(cast(floor({CODES} * pow((pmod(xxhash64(id, 2), 1000000) + 0.5) / 1e6, 2)) AS int)"
        " AS string), 4, '0')) AS code",
    )
    made.write.mode("overwrite").parquet(str(path))
    return path


def veil(release: Release, path: Path) -> list[int]:
    """Bound with Spark, draw with OpenDP."""
    found = open_session("benchmark").read.parquet(str(path)).withColumnRenamed("patient", UNIT)
    counted = {of: bounding.exact(found, release, of) for of in plan.groupings(release)}
    return list(drawing.draw(release, counted).of(0)[0].values())


def timed(run: Callable[[], Any], times: int = 3) -> float:
    """Give the median of several runs, in seconds, after one that warms up."""
    run()
    seconds = []
    for _ in range(times):
        began = time.monotonic()
        run()
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def peer(name: str, python: str, packages: list[str], path: Path) -> str:
    """Run a peer's script in an environment of its own; give its seconds, or why there are none."""
    uv = PROJECT / ".veil" / "boot" / "bin" / "uv"
    command = [str(uv) if uv.exists() else "uv", "run", "--no-project", "--quiet", "--python", python]
    command += [part for package in packages for part in ("--with", package)]
    command += ["python", str(PEERS / f"peer_{name}.py"), str(path), str(CODES), str(L0), str(RHO)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"not done in {LIMIT} s"
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    if ran.returncode:
        return f"cannot run here: {(ran.stderr.strip().splitlines() or ['?'])[-1][:100]}"
    return ran.stdout.strip().splitlines()[-1]


def speed(rows: int, release: Release, folder: Path) -> None:
    """Print a line for each system."""
    path = generate(rows, folder)
    own = timed(lambda: veil(release, path))
    print(f"{rows:>12,} rows  veil             {own:8.2f} s")
    peers: list[tuple[str, str, list[str]]] = [
        ("opendp_polars", "3.11", ["opendp[polars]==0.16.0"]),
        ("tumult", "3.11", ["tmlt.analytics==0.21.0", "setuptools<80"]),
        ("pipeline_dp", "3.11", ["pipeline-dp==0.3.1", "pyspark==3.5.9", "dp-accounting"]),
    ]
    for name, python, packages in peers:
        if rows > (MOST_FOR_PIPELINE_DP if name == "pipeline_dp" else MOST_FOR_PEERS):
            continue
        told = peer(name, python, packages, path)
        try:
            print(f"{'':>12}       {name:<16} {float(told):8.2f} s  {float(told) / own:.1f} times veil")
        except ValueError:
            print(f"{'':>12}       {name:<16} {told}")


def scales() -> None:
    """Print the scale of the noise beside what others use for the same promise."""
    by_rho = Mechanism(L0, 1, RHO).scale
    print(f"scale at rho {RHO}, L0 {L0}: {by_rho:.2f} (Tumult 7.07)")
    bought = Mechanism(L0, 1, rho_for(1.0, 1e-7, (Mechanism(L0, 1, 1.0),)))
    epsilon = pld_epsilon([Draw.of(bought)], 1e-7)
    print(f"scale at epsilon {epsilon:.4f}, delta 1e-7, L0 {L0}: {bought.scale:.2f} (PipelineDP 10.46)")


def releases_per_second(url: str, number: int) -> tuple[float, float]:
    """Give fresh releases per second through all three states, and those that are there already."""
    store = Store(url)
    cap = 10**12, 10**9
    charges = [
        ledger.Charge(f"{at:064d}", "bench", "spec", "patient", 1, {"a/2026": cap, "a/lifetime": cap})
        for at in range(number)
    ]
    began = time.monotonic()
    for charge in charges:
        ledger.reserve(store, charge)
        ledger.keep_drawn(store, charge.key, b"numbers")
        ledger.mark_published(store, charge.key)
    fresh = number / (time.monotonic() - began)
    began = time.monotonic()
    for charge in charges:
        ledger.drawn(store, charge.key)
    return fresh, number / (time.monotonic() - began)


def main() -> None:
    """Run it all."""
    sizes = [int(argument) for argument in sys.argv[1:]] or [1_000_000, 10_000_000]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "codes.toml").write_text(DECLARED)
        release = load_release(folder / "codes.toml")
        assert plan.measures(release)[0].mechanism.scale < 7.08
        scales()
        for label, url in (("SQLite", f"sqlite:///{folder / 'control.db'}"), ("Postgres", os.environ.get(POSTGRES))):
            if url is None:
                print(f"ledger on {label}: not measured, set {POSTGRES} to the URL of an empty database")
                continue
            fresh, cached = releases_per_second(url, 500)
            print(f"ledger on {label}: {fresh:,.0f} fresh and {cached:,.0f} cached releases a second")
        for rows in sizes:
            speed(rows, release, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"peak memory of the largest two processes: {peak / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
