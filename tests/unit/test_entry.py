"""How a job ends: an exit code that Airflow acts on, and a message that is safe to show."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from veil.control import Store
from veil.entry import EXIT_FAILED, EXIT_NOTHING, EXIT_REFUSED, Arguments, Run, guarded, main
from veil.errors import Nothing, Refused, VeilError
from veil.settings import Settings

SECRET = "Quillon Vasterby"
ARGUMENTS = Arguments(run_key="manual__1")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VEIL_LAKE", "VEIL_CONTROL", "VEIL_KEY_FILE", "VEIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VEIL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def raising(error: BaseException) -> Run:
    def run(_settings: Settings, _store: Store, _arguments: Arguments) -> None:
        raise error

    return run


class SparkError(Exception):
    """Quotes a row, as Spark's do, and has a condition that is safe to show."""

    def getCondition(self) -> str:  # noqa: N802 - Spark's name
        return "CAST_INVALID_INPUT"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError(f"bad value {SECRET}"), "ValueError"),
        (KeyError(SECRET), "KeyError"),
        (SparkError(f"'{SECRET}' cannot be cast"), "CAST_INVALID_INPUT"),
        (SparkError(f"/lake/{SECRET}.json.tmp (Permission denied)"), "let the user that Spark runs as write"),
        (ValueError(f"{SECRET} \udc80"), "ValueError"),
        (OSError(28, "No space left on device", SECRET), "free some space on the volume of VEIL_LAKE"),
        (DatabaseError(SECRET, {}, Exception("database or disk is full")), "the control store cannot be written"),
    ],
)
def test_an_unforeseen_error_is_named_and_what_it_quotes_stays_restricted(
    error: Exception, shown: str, home: Path
) -> None:
    code, message = guarded("ingest", raising(error), ARGUMENTS)
    assert code == EXIT_FAILED == 1
    assert shown in message
    assert "Vasterby" not in message
    (log,) = (home / "lake" / "restricted" / "logs").iterdir()
    assert log.name in message
    assert SECRET in log.read_text()


def test_an_error_that_was_raised_from_another_shows_neither() -> None:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise RuntimeError(f"while reading {SECRET}") from cause
    except RuntimeError as error:
        _code, message = guarded("ingest", raising(error), ARGUMENTS)
    assert "Vasterby" not in message


def test_an_error_on_a_lake_that_cannot_be_written_still_shows_nothing(home: Path) -> None:
    home.mkdir()
    (home / "lake").write_text("a file where the lake should be")
    code, message = guarded("ingest", raising(ValueError(SECRET)), ARGUMENTS)
    assert code == EXIT_FAILED
    assert "cannot be written" in message
    assert "Vasterby" not in message


def test_nothing_of_an_error_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    guarded("ingest", raising(ValueError(SECRET)), ARGUMENTS)
    assert "Vasterby" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VeilError("The lake is full", "Free some space"), EXIT_FAILED),
        (Refused("The lake is full", "Free some space"), EXIT_REFUSED),
        (Nothing("The lake is full", "Free some space"), EXIT_NOTHING),
    ],
)
def test_an_error_for_a_person_is_shown_with_its_fix(error: Exception, code: int) -> None:
    assert guarded("ingest", raising(error), ARGUMENTS) == (code, "The lake is full. Free some space")


def test_the_codes_are_those_that_the_runbooks_name() -> None:
    assert (EXIT_FAILED, EXIT_REFUSED, EXIT_NOTHING) == (1, 3, 4)


def test_a_control_store_that_cannot_be_opened_is_an_error_for_a_person(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEIL_CONTROL", "sqlite:////dev/null/control.db")
    code, message = guarded("ingest", raising(ValueError(SECRET)), ARGUMENTS)
    assert code == EXIT_FAILED
    assert "control store" in message


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (lambda _settings, _store, _arguments: None, 0),
        (raising(VeilError("x")), 1),
        (raising(ValueError(SECRET)), 1),
        (raising(Refused("x")), 3),
        (raising(Nothing("x")), 4),
    ],
)
def test_a_process_exits_with_the_code_and_one_line(
    run: Run, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["jobs/ingest.py", "--run-key", "manual__1"])
    with pytest.raises(SystemExit) as ended:
        main(run)
    assert ended.value.code == code
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_job_is_told_ids_and_names_and_nothing_else() -> None:
    told = Arguments.parse(["--run-key", "scheduled__2026-01-01T00:00:00+00:00", "--product", "research"])
    assert told == Arguments("scheduled__2026-01-01T00:00:00+00:00", product="research")
    with pytest.raises(SystemExit):
        Arguments.parse(["--run-key", "r", "--patient", "1"])


def test_a_job_without_a_run_does_not_start() -> None:
    with pytest.raises(SystemExit):
        Arguments.parse(["--product", "research"])
