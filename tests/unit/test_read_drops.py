"""What ingest believes of a drop: a declared source, and a role file that is the one that was sent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from veil.control import Store, registry
from veil.errors import VeilError
from veil.ingest.drops import Delivery, read_drops
from veil.landing import register_all
from veil.modalities import recognisers
from veil.readers.landing import land
from veil.readers.manifest import build_manifest

ROLES = 'table = "pain"\nid = ["case"]\nsubject = "case"\n\n[columns]\ncase = "subject"\nwho = "direct:NAME"\n'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'control.db'}")


def landed(tmp_path: Path, source: str = "ehr") -> Path:
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    (delivered / "pain.csv").write_text("case,who\n1,Quillon\n")
    (delivered / "pain.columns.toml").write_text(ROLES)
    return land(delivered, build_manifest(delivered, source, recognisers()), tmp_path / "landing", drop_id="d1")


def read(store: Store, folder: Path, source: str = "ehr") -> Delivery:
    registry.register_drop(store, folder, source)
    units = registry.plan_run(store, "run", ["tabular"])
    return read_drops(store, registry.drops_of_intake(store, units[0].intake_id), ["ehr"])


def test_a_role_file_says_what_the_columns_mean(store: Store, tmp_path: Path) -> None:
    delivery = read(store, landed(tmp_path))
    assert [dict(roles.columns)["who"] for roles in delivery.tables.values()] == ["direct:NAME"]
    assert delivery.problems == {}


def test_a_role_file_that_was_changed_on_its_way_is_not_believed(store: Store, tmp_path: Path) -> None:
    folder = landed(tmp_path)
    file = folder / "pain.columns.toml"
    file.write_text(ROLES.replace('"direct:NAME"', '"code"       '))
    delivery = read(store, folder)
    assert delivery.tables == {}
    ((drop_id, number),) = delivery.problems
    assert "SHA-256" in delivery.problems[drop_id, number]
    assert [piece.path for piece in delivery.role_files if piece.file_no == number] == ["pain.columns.toml"]


@pytest.mark.parametrize(("sent_as", "lies_under"), [("erh", "erh"), ("ehr", "erh")])
def test_a_drop_of_an_undeclared_source_is_refused_whole(
    store: Store, tmp_path: Path, sent_as: str, lies_under: str
) -> None:
    delivery = read(store, landed(tmp_path, sent_as), lies_under)
    assert delivery.files == ()
    ((_, reason),) = registry.refused_drops(store, "run")
    assert "source" in reason


def test_a_name_that_is_no_utf8_holds_no_other_drop_up(store: Store, tmp_path: Path) -> None:
    manifests = []
    for name in (os.fsdecode(b"Smith\xe9"), "d2"):
        folder = tmp_path / "landing" / "ehr" / name
        folder.mkdir(parents=True)
        manifests.append(folder / "manifest.json")
    with pytest.raises(VeilError, match="could not be registered") as refused:
        register_all(store, manifests, ".registered")
    assert "Smith" not in str(refused.value)
    assert {path.name for path in registry.drop_folders(store).values()} == {"d2"}


@pytest.mark.parametrize(
    "name", ["observations.columns.toml", "observations.Columns.toml", "OBSERVATIONS.columns.toml"]
)
def test_a_role_file_that_cannot_be_used_leaves_its_table_unknown(store: Store, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "delivered"
    folder.mkdir()
    (folder / "observations.csv").write_text("DATE,PATIENT,CODE,DESCRIPTION,VALUE\n")
    (folder / name).write_text('table = "observations"\n[columns]\nVALUE = "direct:NOSE"\n')
    landed = land(folder, build_manifest(folder, "ehr", recognisers()), tmp_path / "landing", drop_id="d" * 32)
    delivery = read(store, landed)
    assert [piece.path for piece in delivery.files if piece.format == "csv"] == ["observations.csv"]
    assert delivery.tables == {}


def test_a_folder_that_cannot_be_marked_holds_no_other_drop_up(store: Store, tmp_path: Path) -> None:
    manifests = []
    for name in ("Smith_John", "d2"):
        folder = tmp_path / "landing" / "ehr" / name
        folder.mkdir(parents=True)
        manifests.append(folder / "manifest.json")
    manifests[0].with_name(".registered").symlink_to("/nonexistent/x")
    with pytest.raises(VeilError, match="1 drops could not be registered") as refused:
        register_all(store, manifests, ".registered")
    assert "Smith" not in str(refused.value)
    assert {path.name for path in registry.drop_folders(store).values()} == {"Smith_John", "d2"}
    assert manifests[1].with_name(".registered").is_file()


def test_a_table_and_its_role_file_meet_whatever_their_case(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "delivered"
    folder.mkdir()
    (folder / "PAIN.CSV").write_text("case,who\n1,Quillon\n")
    (folder / "PAIN.columns.toml").write_text(ROLES)
    landed = land(folder, build_manifest(folder, "ehr", recognisers()), tmp_path / "landing", drop_id="d" * 32)
    assert [path for _drop, path in read(store, landed).tables] == ["PAIN.CSV"]
