"""The demonstration: one generated drop through the real scheduler, and what came of it."""

from __future__ import annotations

import secrets
import shutil
import time
from urllib.parse import quote

from veil.control import Store, registry
from veil.demo import GroundTruth, generate
from veil.embedded import stack
from veil.embedded.places import Embedded
from veil.embedded.rest import Airflow
from veil.errors import VeilError
from veil.ingest.stage import BRONZE
from veil.lake import RESTRICTED
from veil.modalities import recognisers
from veil.printing import as_text
from veil.readers.landing import land
from veil.readers.manifest import build_manifest
from veil.report import Report, report
from veil.settings import Settings

SOURCE = "ehr"
_MARKER = "demo"
_TIMEOUT_SECONDS = 1800
_POLL_SECONDS = 2
_ENDED = ("success", "failed")
_SHOWN = ("success", "failed", "skipped", "upstream_failed")


def fresh_home(home: Embedded) -> None:
    """Empty the installation of an earlier demonstration; one that holds anything else is left alone.

    Raises
    ------
    VeilError
        When it may hold somebody's data.
    """
    settings = home.settings
    if settings != Settings.from_env({"VEIL_HOME": str(settings.home), "VEIL_CONFIG": str(settings.config)}):
        raise VeilError(
            "The demo empties its installation, and this one has a lake, control store or key elsewhere",
            "Unset VEIL_LAKE, VEIL_CONTROL and VEIL_KEY_FILE, and set VEIL_HOME to a folder for the demo",
        )
    marker = settings.home / _MARKER
    own = set(marker.read_text().split()) if marker.exists() else set()
    emptied = (settings.lake, home.airflow_home, settings.home / "gx")
    is_foreign = any(path.exists() for path in emptied) and not (home.airflow_home / "supervisor.log").exists()
    has_data = (settings.lake / RESTRICTED / BRONZE).exists()
    if _drops(settings) - own or (not own and (has_data or is_foreign)):
        raise VeilError(f"{settings.home} holds data of yours", "Set VEIL_HOME to another folder for the demo")
    for path in emptied:
        shutil.rmtree(path, ignore_errors=True)
    for path in settings.home.glob("control.db*"):
        path.unlink()
    marker.unlink(missing_ok=True)


def _drops(settings: Settings) -> set[str]:
    """Name the folders of all drops that an installation was ever given, whether or not they are still there."""
    landed = {path.parent.name for path in (settings.lake / RESTRICTED / "landing").glob("*/*/manifest.json")}
    if (settings.home / "control.db").exists():
        landed |= {path.name for path in registry.drop_folders(Store(settings.control)).values()}
    return landed


def land_drop(home: Embedded, patients: int, seed: int, night: int = 0) -> GroundTruth:
    """Generate a drop and land it; the answer key goes to the restricted zone, since it holds every identifier."""
    restricted = home.settings.lake / RESTRICTED
    made = restricted / f"demo-{secrets.token_hex(4)}"
    truth = generate(made, patients=patients, seed=seed, night=night)
    truth.to_json(restricted / "demo-truth.json")
    manifest = build_manifest(made, SOURCE, recognisers())
    drop_id = secrets.token_hex(16)
    with (home.settings.home / _MARKER).open("a") as marker:
        marker.write(f"{drop_id}\n")
    land(made, manifest, restricted / "landing", drop_id=drop_id)
    shutil.rmtree(made)
    return truth


def watch(home: Embedded, client: Airflow, say: stack.Say) -> Report:
    """Wait for the run that the drop starts, and say what ends as it ends."""
    store, began = Store(home.settings.control), time.monotonic()
    shown: set[tuple[str, str]] = set()
    while time.monotonic() - began < _TIMEOUT_SECONDS:
        run_id = registry.last_run(store)
        if run_id is not None:
            _show_tasks(client, run_id, shown, began, say)
            if client.get(f"/dags/pipeline/dagRuns/{quote(run_id)}")["state"] in _ENDED:
                return report(store, run_id)
        time.sleep(_POLL_SECONDS)
    raise VeilError("The run did not end in 30 minutes", f"Look at {home.airflow_url}")


def run(home: Embedded, patients: int, seed: int, say: stack.Say) -> bool:
    """Run the demonstration from an empty installation; True if it ended as it should."""
    fresh_home(home)
    say(f"Landing a generated drop of {patients} patients; it waits until Airflow is there to see it")
    land_drop(home, patients, seed)
    client = stack.start(home, say)
    made = watch(home, client, say)
    say("")
    say(as_text(made))
    return is_as_expected(made)


def is_as_expected(made: Report) -> bool:
    """Tell whether the gate blocked the planted leak and nothing else, and all the rest was published."""
    published = {line.modality for line in made.lines if line.published}
    only_leak = [(modality, rule) for _product, modality, rule, _count in made.blocked] == [
        ("text", "known-identifier")
    ]
    released = all(release.get("verdict") == "passed" for release in made.releases) and bool(made.releases)
    return only_leak and released and made.leaks == [] and published == {"tabular", "photo", "dicom"}


def _show_tasks(client: Airflow, run_id: str, shown: set[tuple[str, str]], began: float, say: stack.Say) -> None:
    tasks = client.get(f"/dags/pipeline/dagRuns/{quote(run_id)}/taskInstances?limit=100")["task_instances"]
    for task in sorted(tasks, key=lambda task: task["end_date"] or ""):
        name, state = task["task_id"], task["state"]
        if state in _SHOWN and (name, state) not in shown:
            shown.add((name, state))
            say(f"{time.monotonic() - began:6.1f} s  {name:<32} {state}")
