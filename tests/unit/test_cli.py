"""The command line: what goes wrong is a problem and a fix, and never a traceback."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from veil import ledger
from veil.cli import main
from veil.control import Store, registry, schema
from veil.control.quarantined import resolved
from veil.embedded import stack

TEXT = (
    "item_id",
    "stage",
    "unit_id",
    "modality",
    "path",
    "row_uid",
    "rule",
    "reason",
    "content",
    "object_id",
    "source",
)
PROJECT = Path(__file__).parents[2]
SCHEMA = pa.schema([*((name, pa.string()) for name in (*TEXT, "type")), ("position", pa.int64())])


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


Veil = Callable[..., Ended]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VEIL_LAKE", "VEIL_CONTROL", "VEIL_KEY_FILE", "VEIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VEIL_HOME", str(tmp_path / "home"))

    def started(*_: Any) -> None:
        raise AssertionError("a test must not start Airflow")

    monkeypatch.setattr(stack, "start", started)
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Store:
    return Store(f"sqlite:///{home / 'control.db'}")


@pytest.fixture
def veil(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Veil:
    def call(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["veil", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def waiting(home: Path) -> Path:
    """A quarantine with a row that the gate stopped and a line that ingest refused."""
    common = {"modality": "text", "source": "ehr", "unit_id": "u1"}
    stopped = {**common, "item_id": "aaa111", "stage": "audit", "row_uid": "r1", "rule": "phone", "reason": "seen"}
    refused = {**common, "item_id": "bbb222", "stage": "ingest", "path": "a.txt", "position": 3, "rule": "not_utf8"}
    rows = [stopped, {**refused, "reason": "the file is not UTF-8", "content": "Quillon"}]
    folder = home / "lake" / "restricted" / "quarantine"
    write_deltalake(str(folder), pa.Table.from_pylist(rows, schema=SCHEMA))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("quarantine", "show", "nothing"),
        ("quarantine", "retry", "nothing"),
        ("quarantine", "exclude", "nothing"),
        ("report",),
        ("report", "manual__never"),
        ("drop", "/nowhere/at/all", "--source", "ehr"),
    ],
)
def test_bad_input_gives_a_problem_and_a_fix(words: tuple[str, ...], veil: Veil) -> None:
    ended = veil(*words)
    assert ended.code == 1
    assert ended.out == ""
    problem, fix = ended.err.splitlines()
    assert problem
    assert fix


def test_an_empty_folder_is_no_drop(tmp_path: Path, home: Path, veil: Veil) -> None:
    (tmp_path / "empty").mkdir()
    ended = veil("drop", str(tmp_path / "empty"), "--source", "ehr")
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 2
    assert not list((home / "lake" / "restricted" / "landing").glob("*/*"))


def test_a_problem_with_a_drop_is_json_where_json_was_asked_for(tmp_path: Path, veil: Veil) -> None:
    (tmp_path / "empty").mkdir()
    ended = veil("drop", str(tmp_path / "empty"), "--source", "ehr", "--json")
    assert ended.code == 1
    assert set(json.loads(ended.out)) == {"problem", "fix"}


def test_an_unknown_command_or_option_is_told_with_usage(veil: Veil) -> None:
    for words in (("nonsense",), ("report", "--nonsense"), ("drop",), ("demo", "--patients", "0")):
        ended = veil(*words)
        assert ended.code == 2
        assert "Usage" in ended.err


def test_the_demo_leaves_an_installation_with_data_alone(tmp_path: Path, home: Path, veil: Veil) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "note.txt").write_text("Seen today with a cough.")
    assert veil("drop", str(tmp_path / "drop"), "--source", "ehr").code == 0
    before = sorted(path for path in (home / "lake").rglob("*"))
    ended = veil("demo")
    assert ended.code == 1
    problem, fix = ended.err.splitlines()
    assert "holds data of yours" in problem
    assert "VEIL_HOME" in fix
    assert sorted(path for path in (home / "lake").rglob("*")) == before
    assert [path for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []


def test_the_demo_knows_data_that_has_left_the_landing_zone(
    home: Path, store: Store, veil: Veil, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register_drop(store, home / "lake" / "restricted" / "landing" / "ehr" / "d1", "ehr")
    assert "holds data of yours" in veil("demo").err
    monkeypatch.setenv("VEIL_CONTROL", f"sqlite:///{home / 'elsewhere.db'}")
    assert "control store or key elsewhere" in veil("demo").err
    assert (home / "control.db").exists()


def test_a_source_that_nobody_declared_lands_nothing(tmp_path: Path, home: Path, veil: Veil) -> None:
    (tmp_path / "note.txt").write_text("Seen today with a cough.")
    ended = veil("drop", str(tmp_path), "--source", "erh")
    assert ended.code == 1
    assert "erh is no source" in ended.err
    assert "ehr" in ended.err.splitlines()[1]
    assert not (home / "lake").exists()


@pytest.mark.parametrize(
    "url", ["sqlite:////dev/null/control.db", "opensesame", "postgres://u:opensesame@h/d", "mysql://u:opensesame@h/d"]
)
def test_a_control_store_that_cannot_be_opened_is_told_without_its_password(
    url: str, veil: Veil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEIL_CONTROL", url)
    ended = veil("budget", "show")
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 2
    assert "opensesame" not in ended.err


def test_a_damaged_control_store_is_told_and_kept(home: Path, veil: Veil) -> None:
    home.mkdir()
    (home / "control.db").write_bytes(b"no database" * 1000)
    ended = veil("report")
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 2
    assert (home / "control.db").read_bytes() == b"no database" * 1000


def test_a_damaged_zone_key_is_told_and_kept(home: Path, veil: Veil) -> None:
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "zone.key").write_bytes(b"short")
    ended = veil("init")
    assert ended.code == 1
    assert "Restore it" in ended.err
    assert (home / "keys" / "zone.key").read_bytes() == b"short"


def test_init_draws_keys_once(home: Path, veil: Veil) -> None:
    assert veil("init").code == 0
    kept = {path: path.read_bytes() for path in (home / "keys").iterdir()}
    assert veil("init").code == 0
    assert {path: path.read_bytes() for path in (home / "keys").iterdir()} == kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in (*kept, home / "keys", home))


def test_down_where_nothing_runs_is_no_error(veil: Veil) -> None:
    assert veil("down") == Ended(0, "Nothing runs here\n", "")


def test_an_empty_quarantine_and_an_unopened_budget_are_no_errors(veil: Veil) -> None:
    assert veil("quarantine", "list") == Ended(0, "0 items\n", "")
    assert json.loads(veil("quarantine", "list", "--json").out) == []
    assert veil("budget", "show").code == 0
    assert json.loads(veil("budget", "show", "--json").out) == []


def test_the_list_says_what_waits_and_shows_no_content(waiting: Path, veil: Veil) -> None:
    everything = veil("quarantine", "list").out
    assert "aaa111" in everything
    assert "the file is not UTF-8" in everything
    assert everything.endswith("2 items\n")
    assert "Quillon" not in everything + veil("quarantine", "list", "--json").out
    (only,) = json.loads(veil("quarantine", "list", "--stage", "audit", "--json").out)
    assert only["item_id"] == "aaa111"


def test_show_prints_an_item_with_what_it_holds(waiting: Path, veil: Veil) -> None:
    assert "Quillon" in veil("quarantine", "show", "bbb222").out


def test_a_row_that_is_withheld_waits_no_longer_and_one_that_is_no_row_cannot_be(
    waiting: Path, store: Store, veil: Veil
) -> None:
    assert veil("quarantine", "exclude", "aaa111").code == 0
    assert resolved(store) == {"aaa111"}
    assert veil("quarantine", "list").out.endswith("1 items\n")
    refused = veil("quarantine", "exclude", "bbb222")
    assert refused.code == 1
    assert len(refused.err.splitlines()) == 2


def test_what_quarantine_does_not_hold_whole_cannot_be_landed_again(waiting: Path, store: Store, veil: Veil) -> None:
    ended = veil("quarantine", "retry", "bbb222")
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 2
    assert resolved(store) == set()


def test_the_budget_says_what_is_left(store: Store, veil: Veil) -> None:
    caps = {"ehr/2026": (10**9, 0)}
    charge = ledger.Charge("k", "monthly", "{}", "patient", 250_000_000, caps, draws=[(6.32, 4, 1), (6.32, 4, 1)])
    ledger.reserve(store, charge)
    assert "spent 0.250000 rho, left 0.750000" in veil("budget", "show").out
    (block,) = json.loads(veil("budget", "show", "--json").out)
    assert (block["cap"], block["spent"]) == (10**9, 250_000_000)
    said = veil("budget", "blocks", "ehr/2026").out
    assert "1 draws, rho 0.25" in said
    assert "with or without one patient" in said
    assert [event["kind"] for event in json.loads(veil("budget", "history", "--json").out)] == ["opened", "reserved"]
    assert "2 events add up" in veil("budget", "verify").out


def test_a_ledger_that_does_not_fit_ends_the_command_with_1(store: Store, veil: Veil) -> None:
    ledger.reserve(store, ledger.Charge("k", "monthly", "{}", "patient", 1, {"ehr/2026": (10**9, 0)}))
    with store.transaction() as connection:
        connection.execute(schema.block.update().values(spent=0))
    ran = veil("budget", "verify")
    assert ran.code == 1
    assert "block ehr/2026" in ran.err
    assert "restore the newest backup" in ran.err


def test_a_release_is_priced_before_anything_is_drawn(veil: Veil, tmp_path: Path) -> None:
    shipped = PROJECT / "dags/config/releases"
    said = veil("release", "check", str(shipped / "monthly_conditions.toml")).out
    assert "rho 0.1, epsilon 2.2" in said
    assert "5 such draws fit into a period, 10 into all time" in said
    shutil.copytree(shipped.parent, tmp_path / "config")
    dear = tmp_path / "config" / "releases" / "monthly_conditions.toml"
    dear.write_text(dear.read_text().replace("rho = 0.05", "rho = 0.5"))
    ran = veil("release", "check", str(dear))
    assert ran.code == 1
    assert "a draw costs rho 1 and delta 0, and ehr has 0.5 and 1e-06 for the period" in ran.err
    assert veil("release", "check", str(dear), "--json").code == 1
    assert veil("release", "schema").out == (shipped / "release.schema.json").read_text()


def test_the_newest_run_is_reported_and_as_json(store: Store, veil: Veil) -> None:
    registry.register_drop(store, Path("/landing/ehr/d1"), "ehr")
    registry.plan_run(store, "manual__1", ["text"])
    assert veil("report").out.startswith("Run manual__1")
    assert json.loads(veil("report", "manual__1", "--json").out)["run"] == "manual__1"


def test_secrets_are_drawn_anew_each_time_and_fit_an_env_file(veil: Veil) -> None:
    first, second = veil("secrets").out.splitlines(), veil("secrets").out.splitlines()
    assert [line.split("=")[0] for line in first] == [line.split("=")[0] for line in second]
    assert not set(first) & set(second)
    assert all(" " not in line and "$" not in line for line in first)
