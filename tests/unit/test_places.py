"""Opening an installation, and emptying that of a demonstration: nothing that cannot be made again is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from veil.embedded.demo import fresh_home
from veil.embedded.places import Embedded, open_home
from veil.errors import VeilError
from veil.settings import Settings


def opened(home: Path, **more: str) -> Embedded:
    return open_home(Settings.from_env({"VEIL_HOME": str(home), "VEIL_CONFIG": "config", **more}))


def test_a_key_that_is_gone_is_not_drawn_anew_beside_a_vault(tmp_path: Path) -> None:
    home = opened(tmp_path / "home")
    (home.settings.lake / "restricted" / "vault").mkdir(parents=True)
    home.settings.key_file.unlink()
    with pytest.raises(VeilError, match="Restore it"):
        opened(tmp_path / "home")
    assert not home.settings.key_file.exists()


def test_a_key_may_lie_elsewhere(tmp_path: Path) -> None:
    home = opened(tmp_path / "home", VEIL_KEY_FILE=str(tmp_path / "vault" / "zone.key"))
    assert home.settings.key_file == tmp_path / "vault" / "zone.key"
    assert opened(tmp_path / "home", VEIL_KEY_FILE=str(tmp_path / "vault" / "zone.key")).secrets == home.secrets


@pytest.mark.parametrize("theirs", ["airflow/dags/mine.py", "lake/mine.parquet", "gx/mine.yml"])
def test_the_demo_empties_no_folder_that_somebody_else_has_made(tmp_path: Path, theirs: str) -> None:
    file = tmp_path / theirs
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(VeilError, match="another folder"):
        fresh_home(opened(tmp_path))
    assert file.read_text() == "mine"


def test_the_demo_empties_its_own(tmp_path: Path) -> None:
    home = opened(tmp_path)
    fresh_home(home)  # nothing is there yet
    home.airflow_home.mkdir()
    (home.airflow_home / "supervisor.log").touch()
    fresh_home(home)
    assert not home.airflow_home.exists()
