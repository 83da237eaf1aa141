"""A stage that was cut off and tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spark.conftest import new_installation
from tests.spark.resources import condition, patient, write


def test_a_retry_after_a_crash_between_vault_and_bronze_ends_like_an_undisturbed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from veil.ingest import stage

    installation = new_installation(tmp_path / "home")
    installation.land(write(tmp_path / "in", patient(0), patient(1), patient(2), *map(condition, range(4))))
    with monkeypatch.context() as crash:
        crash.setattr(stage, "_write_bronze", _die)
        with pytest.raises(KeyboardInterrupt):
            installation.job("ingest", "run")
    installation.run("run")
    assert len(installation.published("tabular")) == 7
    keys = [row["key"] for row in installation.table("restricted/bronze")]
    assert len(keys) == len(set(keys)) == 7
    records = installation.table("restricted/vault/records")
    assert len({row["row_uid"] for row in records}) == len(records) == 7


def _die(*_: object) -> None:
    raise KeyboardInterrupt
