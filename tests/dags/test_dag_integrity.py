"""What every DAG has to have, as an operator expects it, and what the pipeline's graph looks like."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PRODUCTS = [tomllib.loads(path.read_text()) for path in sorted((PROJECT / "dags/config/products").glob("*.toml"))]
RELEASES = [tomllib.loads(path.read_text()) for path in sorted((PROJECT / "dags/config/releases").glob("*.toml"))]
DAGS = sorted(["landing", "pipeline", "raise_budget", *(f"release_{release['name']}" for release in RELEASES)])
STAGES = ["anonymize", "audit", "publish"]
HEAVY = ["pyspark", "great_expectations", "spacy", "onnxruntime", "cv2", "opendp", "deltalake", "pyarrow"]
MAX_PARSE_SECONDS = 5

_PARSE = f"""
import json, sys, time, airflow
from airflow.dag_processing.dagbag import DagBag
before, began = set(sys.modules), time.monotonic()
bag = DagBag({str(PROJECT / "dags")!r})
took = time.monotonic() - began
heavy = [name for name in {HEAVY} if name in sys.modules]
print(json.dumps([bag.import_errors, sorted(bag.dags), took, heavy]))
"""


@pytest.fixture(scope="module")
def bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(PROJECT / "dags"))


@pytest.fixture(scope="module")
def pipeline(bag: Any) -> Any:
    return bag.dags["pipeline"]


@pytest.fixture(scope="module")
def serialized(pipeline: Any) -> Any:
    """The pipeline as the scheduler has it."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(pipeline))))


def parsed(**settings: str) -> Any:
    paths = os.pathsep.join(str(PROJECT / folder) for folder in ("plugins", "dags"))
    environment = {**os.environ, "PYTHONPATH": paths, **settings}
    ran = subprocess.run([sys.executable, "-c", _PARSE], env=environment, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def test_a_fresh_process_parses_all_dags_fast_and_imports_nothing_heavy() -> None:
    errors, dags, took, heavy = parsed()
    assert errors == {}
    assert dags == DAGS
    assert took < MAX_PARSE_SECONDS
    assert heavy == []


def test_a_wrong_declaration_of_a_release_is_shown_and_takes_no_other_dag_with_it(tmp_path: Path) -> None:
    config = shutil.copytree(PROJECT / "dags/config", tmp_path / "config")
    text = (config / "releases/monthly_conditions.toml").read_text()
    for name, old, new in (("untitled", "title =", "titel ="), ("monday", "after_ingest", 'schedule = "0 0 * * 9"\n#')):
        changed = text.replace("monthly_conditions", name, 1).replace(old, new, 1)
        (config / f"releases/{name}.toml").write_text(changed)
    (config / "releases/broken.toml").write_text("name = ")
    errors, dags, _, _ = parsed(VEIL_CONFIG=str(config))
    assert dags == DAGS
    [(where, told)] = errors.items()
    assert where.endswith("declarations.py")
    for line in (
        "untitled.toml, key titel (line 3): there is no such key. Write title",
        "monday.toml, key schedule (line 8): it is no cron",
        "broken.toml is not valid TOML",
    ):
        assert line in told


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_dag_says_what_it_is_who_owns_it_and_what_to_do_when_it_is_red(dag_id: str, bag: Any) -> None:
    dag = bag.dags[dag_id]
    assert "veil" in dag.tags
    assert dag.description
    assert dag.dag_display_name != dag_id
    assert "Owner:" in dag.doc_md
    assert "red**" in dag.doc_md or "failed**" in dag.doc_md
    assert not dag.catchup
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("dag_id", DAGS)
def test_every_task_has_an_owner_retries_a_pause_and_a_time_limit(dag_id: str, bag: Any) -> None:
    for task in bag.dags[dag_id].tasks:
        assert task.owner == "data-engineering", task.task_id
        assert task.retries >= 2, task.task_id
        assert task.retry_delay >= timedelta(seconds=10), task.task_id
        # one that waits for a person has a limit of its own: this one would end the wait
        limit = task.response_timeout if type(task).__name__ == "ApprovalOperator" else task.execution_timeout
        assert limit, task.task_id


def test_every_spark_job_waits_for_the_pool_and_nothing_else_does(bag: Any) -> None:
    from veil_jobs import VeilJobOperator

    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.pool == ("spark" if type(task).__name__ == VeilJobOperator.__name__ else "default_pool")


def test_each_product_has_a_group_and_in_it_each_modality(pipeline: Any) -> None:
    expected = {product["name"] for product in PRODUCTS} | {"releases"}
    expected |= {f"{product['name']}.{modality}" for product in PRODUCTS for modality in product["modalities"]}
    assert {name for name in pipeline.task_group_dict if name} == expected
    for product in PRODUCTS:
        for modality in product["modalities"]:
            group = pipeline.task_group_dict[f"{product['name']}.{modality}"]
            assert sorted(group.children) == [f"{product['name']}.{modality}.{stage}" for stage in STAGES]


def test_nothing_is_published_but_after_its_gate(pipeline: Any) -> None:
    publishing = [task for task in pipeline.tasks if task.task_id.endswith(".publish")]
    assert len(publishing) == sum(len(product["modalities"]) for product in PRODUCTS)
    for task in publishing:
        group = task.task_id.removesuffix(".publish")
        assert task.upstream_task_ids == {f"{group}.audit"}
        # it runs after a red audit too, to carry out denials: it never publishes what that blocked
        assert task.trigger_rule == "none_skipped"
        audit = pipeline.task_dict[f"{group}.audit"]
        assert audit.upstream_task_ids == {f"{group}.anonymize"}
        assert audit.trigger_rule == "all_success"


def test_a_blocked_modality_holds_up_no_other(pipeline: Any) -> None:
    for product in PRODUCTS:
        for modality in product["modalities"]:
            mine = pipeline.task_dict[f"{product['name']}.{modality}.anonymize"]
            assert mine.upstream_task_ids == {"ingest"}


def test_each_release_is_a_task_and_the_report_comes_last_whatever_failed(pipeline: Any) -> None:
    made = {task.task_id for task in pipeline.tasks if task.task_id.startswith("releases.")}
    assert made == {f"releases.{release['name']}" for release in RELEASES if release.get("after_ingest")}
    report = pipeline.task_dict["report"]
    assert not report.downstream_task_ids
    assert (
        report.upstream_task_ids
        == {task.task_id for task in pipeline.tasks if task.task_id.endswith(".publish")} | made
    )
    assert report.trigger_rule == "all_done_min_one_success"


def test_tasks_are_told_ids_and_names_alone(pipeline: Any) -> None:
    allowed = {"run_key", "product", "modality", "release", "date"}
    for task in pipeline.tasks:
        if task.task_id != "report":
            assert set(task.arguments) <= allowed
            assert task.arguments["run_key"] == "{{ run_id }}"
            assert (PROJECT / "jobs" / f"{task.job}.py").is_file()


def test_a_backfill_makes_one_run_a_day_with_both_ends(serialized: Any) -> None:
    from airflow._shared.timezones import timezone
    from airflow.models.backfill import _get_info_list

    assert serialized.timetable.periodic
    assert serialized.timetable.partitioned
    first, last = (timezone.make_aware(datetime(2026, 3, day)) for day in (1, 3))
    found = _get_info_list(from_date=first, to_date=last, reverse=False, dag=serialized)
    assert [info.partition_key for info in found] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert serialized.allowed_run_types is None


@pytest.mark.parametrize(
    ("run_type", "day", "expected"),
    [("backfill", "", "2026-03-01"), ("scheduled", "", ""), ("manual", "", ""), ("manual", "2026-02-01", "2026-02-01")],
)
def test_ingest_is_given_a_day_by_a_backfill_or_by_a_person_alone(
    run_type: str, day: str, expected: str, pipeline: Any
) -> None:
    from types import SimpleNamespace

    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    run = SimpleNamespace(run_type=run_type, partition_date=datetime(2026, 3, 1))
    template = SandboxedEnvironment(undefined=StrictUndefined).from_string(
        pipeline.task_dict["ingest"].arguments["date"]
    )
    assert template.render(dag_run=run, params=SimpleNamespace(date=day)) == expected


@pytest.mark.parametrize("day", ["yesterday", "2026-3-1", "2026-03-01; rm -rf /"])
def test_a_person_cannot_give_what_is_no_day(day: str, pipeline: Any) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    parameter = pipeline.params.get_param("date")
    assert parameter.resolve("2026-03-01") == "2026-03-01"
    with pytest.raises(ParamValidationError):
        parameter.resolve(day)


def test_landing_watches_the_lake_of_the_installation_and_starts_the_pipeline(bag: Any) -> None:
    from veil.settings import Settings

    landing = bag.dags["landing"]
    assert landing.task_dict["start_pipeline"].trigger_dag_id == "pipeline"
    assert landing.task_dict["start_pipeline"].upstream_task_ids == {"register"}
    (asset,) = landing.timetable.asset_condition.objects
    (watcher,) = asset.watchers
    assert watcher.trigger.landing == str(Settings.from_env().lake / "restricted" / "landing")


def test_a_home_alone_says_where_drops_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEIL_HOME", str(tmp_path))
    monkeypatch.delenv("VEIL_LAKE", raising=False)
    read = runpy.run_path(str(PROJECT / "dags" / "landing.py"))
    assert read["LANDING"] == tmp_path / "lake" / "restricted" / "landing"


def test_a_release_has_a_dag_in_which_a_large_draw_waits_for_a_person(bag: Any) -> None:
    for release in RELEASES:
        dag = bag.dags[f"release_{release['name']}"]
        assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == {
            "price": set(),
            "approve": {"price"},
            "enter": {"approve"},
            "draw": {"price", "enter"},
        }
        approve, draw = dag.task_dict["approve"], dag.task_dict["draw"]
        assert approve.fail_on_reject
        assert approve.defaults is None
        named = tomllib.loads((PROJECT / "dags/config/budgets.toml").read_text())["approvers"]
        assert [user["id"] for user in approve.assigned_users] == named
        assert draw.trigger_rule == "none_failed_min_one_success"
        assert draw.arguments["release"] == release["name"]


def test_a_release_by_windows_is_backfilled_window_by_window(tmp_path: Path) -> None:
    """In a process of its own: which DAGs there are is read from the configuration when the file is parsed."""
    import shutil

    config = tmp_path / "config"
    shutil.copytree(PROJECT / "dags/config", config)
    file = config / "releases" / "monthly_conditions.toml"
    text = file.read_text().replace('period = "2025" ', 'window = "month" ').replace("after_ingest = true", "")
    file.write_text(text)
    script = """
import json, sys
from datetime import datetime
from airflow._shared.timezones import timezone
from airflow.dag_processing.dagbag import DagBag
from airflow.models.backfill import _get_info_list
from airflow.serialization.serialized_objects import DagSerialization
dag = DagBag(sys.argv[1]).dags["release_monthly_conditions"]
dag = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
first, last = (timezone.make_aware(datetime(2025, month, 1)) for month in (1, 12))
found = _get_info_list(from_date=first, to_date=last, reverse=False, dag=dag)
print(json.dumps([info.partition_key for info in found]))
"""
    paths = os.pathsep.join(str(PROJECT / folder) for folder in ("plugins", "dags"))
    environment = {**os.environ, "PYTHONPATH": paths, "VEIL_CONFIG": str(config)}
    command = [sys.executable, "-c", script, str(PROJECT / "dags")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout.splitlines()[-1]) == [f"2025-{month:02d}-01" for month in range(1, 13)]
