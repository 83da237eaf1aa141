"""A release of every statistic, for tests of what bounds and draws it."""

from __future__ import annotations

from pathlib import Path

from veil.privacy.load import Release, load_release

KITCHEN = """name = "kitchen"
title = "Every statistic"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
period = "2025"
[records]
types = ["Observation"]
[columns]
month = { read = "start", as = "month" }
ward = { read = "code" }
visit = { read = "reference", to = "Encounter" }
dose = { read = "$.dose", as = "number" }
[keys.month]
first = "2025-01"
count = 3
[keys.ward]
values = ["a", "b"]
other = "other"
[[queries]]
name = "patients"
statistic = "patients"
cells = 2
rho = 0.5
[[queries]]
name = "records"
statistic = "count"
cells = 2
per_cell = 3
rho = 0.5
[[queries]]
name = "visits"
statistic = "count"
of = "visit"
cells = 2
per_cell = 2
rho = 0.5
[[queries]]
name = "dose"
statistic = "variance"
of = "dose"
cells = 2
per_cell = 4
lower = -10
upper = 30
resolution = 0.5
rho = 0.6
[[queries]]
name = "total"
statistic = "sum"
of = "dose"
by = ["ward"]
cells = 1
per_cell = 2
lower = 0
upper = 30
rho = 0.5
[[queries]]
name = "spread"
statistic = "histogram"
of = "dose"
by = []
edges = [0, 5, 10, 20]
cells = 2
per_cell = 2
rho = 0.5
[[queries]]
name = "cut"
statistic = "truncated"
of = "records"
cells = 1
rho = 0.5
[cost]
delta = 1e-7
"""

BASIC = KITCHEN[: KITCHEN.index('[[queries]]\nname = "total"')] + KITCHEN[KITCHEN.index("[cost]") :]
"""The queries of one grouping: what takes one job."""

SELECTED = """name = "selected"
title = "Codes that many have"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
period = "2025"
[records]
types = ["Condition"]
[columns]
code = { read = "code" }
[keys.code]
selected = true
[[queries]]
name = "patients"
statistic = "patients"
cells = 3
rho = 0.5
select_delta = 1e-8
[[queries]]
name = "records"
statistic = "count"
cells = 3
per_cell = 2
rho = 0.5
[cost]
delta = 1e-7
"""

LEVELS = """name = "levels"
title = "Patients by site, region and nation"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
period = "2025"
minimum_size = 30
[records]
types = ["Encounter"]
[columns]
month = { read = "start", as = "month" }
code = { read = "code" }
[[tables]]
file = "sites.csv"
on = { site_code = "code" }
[keys.month]
first = "2025-01"
count = 2
[keys.site]
table = "sites.csv"
parents = ["region", "nation"]
[[queries]]
name = "patients"
statistic = "patients"
levels = true
cells = 1
rho = 0.9
[cost]
delta = 1e-7
"""
SITES = "site_code,site,region,nation\n" + "".join(
    f"c{number},site {number},region {number % 3},nation\n" for number in range(12)
)


def declared(folder: Path, text: str, *changes: tuple[str, str]) -> Release:
    """Write a declaration with changes, and load it."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    name = text.split('"')[1]
    (folder / "sites.csv").write_text(SITES)
    (folder / f"{name}.toml").write_text(text)
    return load_release(folder / f"{name}.toml")
