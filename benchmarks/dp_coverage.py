"""How often the released counts of a Synthea export lie within the interval that was announced.

    python benchmarks/dp_coverage.py CONDITIONS.csv [DRAWS]      default: 2000 draws

CONDITIONS.csv is Synthea's table of conditions. Patients are counted by condition, beside keys that nobody has, by
site (invented) with levels, and by condition again with keys that are selected from the data. Printed is, of
all draws: how often a count of 100 patients or more lies within its interval, whether every public cell came out,
whether the levels add up, and how often a key came out that one patient alone has.
"""

from __future__ import annotations

import csv
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from veil.privacy import bounding, drawing, estimates, plan
from veil.privacy.estimates import Row
from veil.privacy.load import Release, load_release
from veil.privacy.records import UNIT, joined
from veil.session import open_session

EMPTY = ("nobody-1", "nobody-2", "nobody-3")
LARGE, SITES, REGIONS = 100, 40, 8
HEAD = """name = "{name}"
title = "Coverage"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
period = "2026"
[records]
types = ["Condition"]
[columns]
code = {{ read = "code" }}
site = {{ read = "$.site" }}
[cost]
delta = 1e-7
"""
QUERY = """[[queries]]
name = "{query}"
statistic = "patients"
by = ["{key}"]
cells = {cells}
rho = 0.05
"""


def declared(folder: Path, codes: Sequence[str], most: int) -> tuple[Release, Release]:
    """Declare a release of public keys, with levels, and one whose keys are selected."""
    listed = ", ".join(f'"{code}"' for code in (*codes, *EMPTY))
    with (folder / "sites.csv").open("w") as stream:
        stream.write("site,region,nation\n")
        stream.writelines(f"s{site:02d},r{site % REGIONS},all\n" for site in range(SITES))
    keys = f'[keys.code]\nvalues = [{listed}]\n[keys.site]\ntable = "sites.csv"\nparents = ["region", "nation"]\n'
    levels = QUERY.format(query="sites", key="site", cells=1) + "levels = true\n"
    public = HEAD.format(name="public") + keys + QUERY.format(query="conditions", key="code", cells=most) + levels
    (folder / "public.toml").write_text(public)
    selected = "[keys.code]\nselected = true\n" + QUERY.format(query="conditions", key="code", cells=most)
    (folder / "selected.toml").write_text(HEAD.format(name="selected") + selected + "select_delta = 1e-8\n")
    return load_release(folder / "public.toml"), load_release(folder / "selected.toml")


def within(rows: Sequence[Row], truth: dict[str, int]) -> tuple[int, int]:
    """Count large cells, and those of them whose truth lies in the interval."""
    large = [
        (row, truth[row.keys["code"]])
        for row in rows
        if row.query == "conditions" and truth.get(row.keys["code"], 0) >= LARGE
    ]
    return len(large), sum(row.low is not None and row.low <= true <= (row.high or 0) for row, true in large)


def differences(rows: Sequence[Row]) -> float:
    """Give the largest difference between a consistent number and the sum of those below it."""
    made = [row for row in rows if row.query == "sites" and row.statistic.endswith("consistent")]
    sums: dict[str, float] = defaultdict(float)
    regions = {}
    for row in made:
        if "site" in row.keys:
            sums[row.keys["region"]] += row.value or 0
        elif "region" in row.keys:
            regions[row.keys["region"]] = row.value or 0
    return max((abs(sums[region] - value) for region, value in regions.items()), default=float("nan"))


def main() -> None:
    """Run it all."""
    path, draws = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    with path.open(newline="") as stream:
        records = [(row["PATIENT"], row["CODE"]) for row in csv.DictReader(stream)]
    patients = sorted({patient for patient, _ in records})
    site_of = {patient: f"s{number * number % SITES:02d}" for number, patient in enumerate(patients)}
    by_code, codes_of = defaultdict(set), defaultdict(set)
    for patient, code in records:
        by_code[code].add(patient)
        codes_of[patient].add(code)
    truth = {code: len(who) for code, who in by_code.items()}
    most = max(map(len, codes_of.values()))
    frame = open_session("coverage").createDataFrame(
        [(patient, code, site_of[patient]) for patient, code in records], f"{UNIT} string, code string, site string"
    )
    with tempfile.TemporaryDirectory() as name:
        public, selected = declared(Path(name), sorted(truth), most)
        counted = {of: bounding.exact(joined(frame, public), public, of) for of in plan.groupings(public)}
        unlisted = {of: bounding.exact(frame, selected, of) for of in plan.groupings(selected)}
        shares, missing, worst, alone = [], 0, 0.0, 0
        for _ in range(draws):
            rows = estimates.rows(public, drawing.draw(public, counted))
            large, covered = within(rows, truth)
            shares.append(covered / large)
            found = {row.keys["code"] for row in rows if row.query == "conditions"}
            missing += len(found) != len(truth) + len(EMPTY)
            worst = max(worst, differences(rows))
            chosen = estimates.rows(selected, drawing.draw(selected, unlisted))
            alone += sum(truth[row.keys["code"]] == 1 for row in chosen)
    single = sum(count == 1 for count in truth.values())
    print(f"{len(patients):,} patients, {len(truth)} conditions, {large} of {LARGE} patients or more, L0 {most}")
    print(f"within the interval: {statistics.mean(shares):.2%} of {draws:,} draws of each large count")
    print(f"draws without every public cell, of {len(EMPTY)} empty ones too: {missing}")
    print(f"largest difference between a region and the sum of its sites: {worst:g}")
    print(f"selected keys of one patient alone: {alone} of {single * draws:,} chances, delta 1e-8")


if __name__ == "__main__":
    main()
