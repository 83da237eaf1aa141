"""The console shows what the control store holds, to people whom Airflow lets in and to nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from veil import ledger, modalities
from veil.control import Store, attempts, receipts, registry, schema
from veil.errors import Refused

RUN = "manual__2026-03-04T05:06:07+00:00"
SECRET = "a-secret-of-this-test-that-is-long-enough-for-sha-512-signatures-of-tokens"
PAGES = ["/report", "/ledger"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("VEIL_CONTROL", f"sqlite:///{tmp_path / 'control.db'}")
    return Store(f"sqlite:///{tmp_path / 'control.db'}")


@pytest.fixture
def app() -> Any:
    from veil_console import VeilConsole

    return VeilConsole().fastapi_apps[0]["app"]


@pytest.fixture
def stranger(app: Any) -> Iterator[Any]:
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        yield client


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Any:
    from airflow.api_fastapi import app as airflow_app
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.models.revoked_token import RevokedToken

    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", SECRET)
    monkeypatch.setattr(RevokedToken, "is_revoked", lambda jti: False)  # the one look into Airflow's database
    manager = SimpleAuthManager()
    monkeypatch.setattr(airflow_app._AuthManagerState, "instance", manager)
    return manager


def token_of(manager: Any, role: str | None) -> str:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return str(
        manager.generate_jwt(SimpleAuthManagerUser(username="somebody", role=role), expiration_time_in_seconds=60)
    )


@pytest.fixture
def reader(stranger: Any, manager: Any) -> Any:
    stranger.headers["Authorization"] = f"Bearer {token_of(manager, 'viewer')}"
    return stranger


def close(store: Store, stage: str, unit: str, product: str, body: dict[str, Any], run: str = RUN) -> None:
    receipts.close(store, attempts.begin(store, stage, unit, product, run), body, receipts.new_id())


@pytest.fixture
def worked(store: Store) -> Store:
    """A run that published tables, blocked notes, and made a release."""
    registry.register_drop(store, Path("/landing/ward/d1"), "ward")
    units = {unit.modality: unit for unit in registry.plan_run(store, RUN, list(modalities.registered()))}
    counts, lost = {"tabular": 120, "text": 40}, {"tabular": {"not_json": 3}}
    close(store, "ingest", units["text"].intake_id, "", {"counts": counts, "quarantined": lost})
    for modality in ("tabular", "text"):
        close(store, "anonymize", units[modality].unit_id, "research", {"unpublishable": 0})
    tables, notes = units["tabular"].unit_id, units["text"].unit_id
    passed = {"verdict": "passed", "rows": 120, "failed_rows": 0, "reasons": [], "rules": {}}
    blocked = {
        "verdict": "blocked",
        "rows": 40,
        "failed_rows": 2,
        "reasons": ["text.phone"],
        "rules": {"text.phone": 2},
    }
    close(store, "audit", tables, "research", passed)
    close(store, "publish", tables, "research", {"published": 117})
    close(store, "audit", notes, "research", blocked)
    paid = {"verdict": "passed", "epsilon": 1.2345, "delta": 1e-6, "rho": 0.05, "rows": 96, "privacy_unit": "patient"}
    close(store, "release", "monthly", "", paid)
    pay(store, "key-1", "monthly", 250_000_000)
    return store


def pay(store: Store, key: str, name: str, cost: int) -> None:
    caps = {"ward/lifetime": (1_000_000_000, 0)}
    ledger.reserve(store, ledger.Charge(key, name, "the spec", "patient", cost, caps))


def text_of(response: Any) -> str:
    """The words of a page, with the white space of its markup folded."""
    return " ".join(response.text.split())


def routes(app: Any) -> list[tuple[str, str]]:
    return [(method, route.path) for route in app.routes for method in sorted(route.methods or ["GET"])]


def test_every_route_turns_a_stranger_away(app: Any, stranger: Any, worked: Store) -> None:
    assert sorted(routes(app)) == [("GET", "/ledger"), ("GET", "/report")]
    for method, path in routes(app):
        answer = stranger.request(method, path, params={"run": RUN})
        assert answer.status_code == 401
        assert "monthly" not in answer.text
        assert "text.phone" not in answer.text


def test_the_description_of_the_interface_is_not_served(stranger: Any) -> None:
    assert {stranger.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


@pytest.mark.parametrize("page", PAGES)
def test_a_viewer_reads_with_a_token_or_with_the_cookie_of_the_browser(
    page: str, stranger: Any, manager: Any, worked: Store
) -> None:
    token = token_of(manager, "viewer")
    bearer = stranger.get(page, params={"run": RUN}, headers={"Authorization": f"Bearer {token}"})
    stranger.cookies.set("_token", token)
    assert bearer.status_code == stranger.get(page, params={"run": RUN}).status_code == 200
    assert bearer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("page", PAGES)
def test_a_forged_token_and_a_user_without_a_role_are_turned_away(
    page: str, stranger: Any, manager: Any, worked: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_role = token_of(manager, None)
    assert stranger.get(page, headers={"Authorization": f"Bearer {without_role}"}).status_code == 403
    genuine = token_of(manager, "admin")
    head, body, signature = genuine.split(".")
    forged = ".".join((head, body, signature[::-1]))
    assert stranger.get(page, headers={"Authorization": f"Bearer {forged}"}).status_code == 403


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_every_answer_forbids_scripts_foreign_frames_and_caches(path: str, reader: Any, worked: Store) -> None:
    for answer in (reader.get(path, params={"run": RUN}), reader.get(path, headers={"Authorization": ""})):
        policy = answer.headers["content-security-policy"]
        assert policy == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_from_elsewhere(page: str, reader: Any, worked: Store) -> None:
    text = reader.get(page, params={"run": RUN}).text
    assert not [
        word for word in ("<script", "<link", "<img", "src=", "http:", "https:", "@import", "url(") if word in text
    ]


def test_the_report_says_what_came_of_each_modality(reader: Any, worked: Store) -> None:
    text = text_of(reader.get("/report", params={"run": RUN, "dag": "pipeline"}))
    for figure in ("123", "117", "38", "1.2345", "1e-06", "0.250000", "0.750000"):
        assert f">{figure}</td>" in text
    assert "nothing of these was published" in text
    assert '<code>text.phone</code></td><td class="number">2</td>' in text
    assert "veil quarantine list --stage audit --modality text" in text
    assert f"veil report {RUN}" in text


def test_a_run_that_has_not_ended_is_not_praised(reader: Any, store: Store) -> None:
    registry.plan_run(store, RUN, ["tabular"])
    assert "No end of this run is noted" in text_of(reader.get("/report", params={"run": RUN}))
    assert "blocked nothing" not in text_of(reader.get("/report", params={"run": RUN}))
    registry.finish_run(store, RUN, [])
    assert "No end of this run is noted" not in text_of(reader.get("/report", params={"run": RUN}))
    assert "blocked nothing" in text_of(reader.get("/report", params={"run": RUN}))


def test_a_refused_drop_shows_its_reason_and_the_way_out(reader: Any, worked: Store) -> None:
    intake = registry.units_of_run(worked, RUN)[0].intake_id
    registry.refuse_drop(worked, registry.drops_of_intake(worked, intake)[0].drop_id, "the manifest names no files")
    text = text_of(reader.get("/report", params={"run": RUN}))
    assert "the manifest names no files" in text
    assert "veil drop PATH --source SOURCE" in text
    assert "/landing/" not in text


@pytest.mark.parametrize(
    ("dag", "run", "advice"),
    [
        ("pipeline", "manual__never", "compare the run id"),
        ("pipeline", "", "compare the run id"),
        ("landing", RUN, "Open this tab on a run of pipeline"),
    ],
)
def test_a_run_without_a_report_is_answered_with_what_to_do(
    dag: str, run: str, advice: str, reader: Any, worked: Store
) -> None:
    answer = reader.get("/report", params={"dag": dag, "run": run})
    assert answer.status_code == 404
    assert advice in text_of(answer)


HOSTILE = "<script>alert(1)</script>'\"; rm -rf ~ {{ 7 * 7 }}"


def test_a_hostile_run_id_is_text_and_nothing_else(reader: Any, worked: Store) -> None:
    unknown = reader.get("/report", params={"run": HOSTILE})
    registry.plan_run(worked, HOSTILE, ["tabular"])
    known = reader.get("/report", params={"run": HOSTILE})
    assert (unknown.status_code, known.status_code) == (404, 200)
    assert "<script" not in unknown.text + known.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in known.text
    assert "{{ 7 * 7 }}" in known.text


def test_a_hostile_run_id_is_one_word_of_the_command_to_copy(reader: Any, store: Store) -> None:
    import shlex

    from veil.report import Report
    from veil_console import next_steps

    (_words, command), *_ = reversed(next_steps(Report(HOSTILE)))
    assert shlex.split(command) == ["veil", "report", HOSTILE]


def test_hostile_names_in_the_store_are_text(reader: Any, worked: Store) -> None:
    pay(worked, "key-2", "<b>bold</b>", 1)
    with worked.transaction() as connection:
        connection.execute(insert(schema.block).values(block_id="<i>x</i>", unit="<u>y</u>", cap=0, spent=0))
    text = reader.get("/ledger").text
    assert not [tag for tag in ("<b>", "<i>", "<u>") if tag in text]


def test_the_ledger_shows_budgets_releases_and_refusals(reader: Any, worked: Store) -> None:
    ledger.keep_drawn(worked, "key-1", b"the numbers that were drawn")
    with pytest.raises(Refused):
        pay(worked, "key-3", "too dear", 900_000_000)
    text = text_of(reader.get("/ledger"))
    assert 'value="25.0"' in text
    assert "25.0 %" in text
    assert ">monthly</td><td>DRAWN</td>" in text
    assert '>too dear</td><td>ward/lifetime</td><td class="number">0.900000</td>' in text
    assert "the numbers that were drawn" not in text


def test_the_ledger_of_a_new_installation_is_not_an_error(reader: Any, store: Store) -> None:
    answer = reader.get("/ledger")
    assert answer.status_code == 200
    assert "nothing was released yet" in answer.text
    assert "There are no receipts yet" in answer.text


def test_a_changed_receipt_is_told(reader: Any, worked: Store) -> None:
    assert "Verified: yes" in reader.get("/ledger").text
    with worked.transaction() as connection:
        connection.execute(update(schema.receipt).where(schema.receipt.c.seq == 3).values(body="{}"))
    text = reader.get("/ledger").text
    assert "Verified: no. Receipt 3" in text
    assert "Verified: yes" not in text


@pytest.mark.parametrize("page", PAGES)
def test_reading_makes_no_control_store(
    page: str, reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEIL_CONTROL", f"sqlite:///{tmp_path / 'other' / 'control.db'}")
    answer = reader.get(page, params={"run": RUN})
    assert answer.status_code == 503
    assert "There is no control store yet" in answer.text
    assert not (tmp_path / "other").exists()


def test_reading_changes_nothing(reader: Any, worked: Store, tmp_path: Path) -> None:
    import sqlite3

    def dump() -> list[str]:
        with sqlite3.connect(tmp_path / "control.db") as connection:
            return list(connection.iterdump())

    before = dump()
    for page in PAGES:
        reader.get(page, params={"run": RUN})
    assert dump() == before


def test_airflow_accepts_the_views_and_mounts_the_pages() -> None:
    from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

    from veil_console import VeilConsole

    plugin = VeilConsole()
    views = [ExternalViewResponse.model_validate(view) for view in plugin.external_views]
    assert {(view.name, view.destination) for view in views} == {("Veil report", "dag_run"), ("Privacy ledger", "nav")}
    assert all(view.href.startswith(plugin.fastapi_apps[0]["url_prefix"]) for view in views)


def test_a_process_that_shows_no_pages_imports_neither_the_framework_nor_the_store() -> None:
    code = (
        "import sys, airflow.plugins_manager, airflow.configuration\n"
        "before = set(sys.modules)\n"
        "import veil_console\n"
        "veil_console.VeilConsole()\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before} - {'veil_console', 'veil'}))\n"
        "print(sorted(name for name in set(sys.modules) - before if name.startswith('veil.')))"
    )
    plugins = Path(__file__).resolve().parents[2] / "plugins"
    environment = {**os.environ, "PYTHONPATH": str(plugins)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-2:] == ["[]", "['veil.errors']"]
