"""A source that sends everything again every night: what changes in what is published, and what never does."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.spark.conftest import PROJECT, Installation, content, new_installation
from tests.spark.resources import condition, patient, write
from veil.ingest import stage


def codes(installation: Installation, **where: Any) -> dict[str, str]:
    rows = [row for row in installation.published("tabular", **where) if row["type"] == "Condition"]
    return {row["row_id"]: json.loads(row["content"])["code"]["coding"][0]["code"] for row in rows}


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, dict[str, Any]]:
    """Night 0, the same drop again, and night 1 with one changed, one new and one deleted record.

    The first try of night 1's ingest dies between vault and bronze.
    """
    home = tmp_path_factory.mktemp("nightly")
    config = home / "config"
    shutil.copytree(PROJECT / "dags" / "config", config)
    other = (config / "products" / "research.toml").read_text().replace('name = "research"', 'name = "teaching"')
    (config / "products" / "teaching.toml").write_text(other)
    later = other.replace('name = "teaching"', 'name = "later"').replace("epoch = 1", "epoch = 2")
    (config / "products" / "later.toml").write_text(later)
    installation = new_installation(home, config)
    people = [patient(number) for number in range(3)]
    everything = [condition(number) for number in range(4)]
    seen: dict[str, Any] = {}
    installation.land(write(home / "in", *people, *everything), date="2026-01-01")
    installation.run("night-0")
    seen["night-0"] = installation.published("tabular")
    installation.land(write(home / "in", *people, *everything), date="2026-01-02")
    installation.run("same-again")
    seen["same-again"] = installation.published("tabular")
    changed = [everything[0], condition(1, "73211009", "2026-01-03T00:00:00Z"), everything[2], condition(9)]
    installation.land(write(home / "in", *people, *changed, deleted=("Condition/c3",)), date="2026-01-03")
    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(stage, "_write_bronze", _die)
        with pytest.raises(KeyboardInterrupt):
            installation.job("ingest", "night-1")
    installation.run("night-1")
    seen["night-1"] = installation.published("tabular")
    seen["conditions"] = codes(installation)
    assert installation.refused == []
    return installation, seen


def _die(*_: object) -> None:
    raise KeyboardInterrupt


Nightly = tuple[Installation, dict[str, Any]]


def test_the_same_drop_again_changes_nothing(nightly: Nightly) -> None:
    _, seen = nightly
    assert len(seen["night-0"]) == 7
    assert content(seen["same-again"]) == content(seen["night-0"])


def test_one_changed_one_new_and_one_deleted_record_are_all_that_changes(nightly: Nightly) -> None:
    _, seen = nightly
    before, after = content(seen["night-0"]), content(seen["night-1"])
    assert len(before - after) == 2  # the changed one's old version and the deleted one
    assert len(after - before) == 2  # the changed one's new version and the new one
    assert sorted(seen["conditions"].values()) == ["38341003", "38341003", "38341003", "73211009"]


def test_the_try_that_died_left_nothing_twice(nightly: Nightly) -> None:
    installation, _ = nightly
    bronze = [(row["unit"], row["key"]) for row in installation.table("restricted/bronze")]
    assert len(bronze) == len(set(bronze)) == 10  # a deletion is a row too
    records = [row["row_uid"] for row in installation.table("restricted/vault/records")]
    assert len(records) == len(set(records)) == 8


def test_a_changed_record_keeps_its_published_id(nightly: Nightly) -> None:
    _, seen = nightly
    before = {row["row_id"] for row in seen["night-0"]}
    changed = next(row_id for row_id, code in seen["conditions"].items() if code == "73211009")
    assert changed in before


def test_a_backfill_of_the_older_day_brings_no_old_version_back(nightly: Nightly) -> None:
    installation, seen = nightly
    installation.run("backfill", date="2026-01-01")
    assert content(installation.published("tabular")) == content(seen["night-1"])


def test_what_was_staged_before_newer_data_came_is_not_published(nightly: Nightly) -> None:
    installation, seen = nightly
    installation.job("publish", "same-again", product="research", modality="tabular")
    assert "Newer data" in installation.refused[-1]
    assert content(installation.published("tabular")) == content(seen["night-1"])


@pytest.mark.slow
def test_two_products_and_two_epochs_share_no_pseudonym(nightly: Nightly) -> None:
    installation, seen = nightly
    for product, epoch in (("teaching", 1), ("later", 2)):
        for part in ("anonymize", "audit", "publish"):
            installation.job(part, "night-0", product=product, modality="tabular")
        rows = installation.published("tabular", product, epoch)
        assert rows
        mine = {row["subject"] for row in seen["night-1"]} | {row["row_id"] for row in seen["night-1"]}
        assert not mine & ({row["subject"] for row in rows} | {row["row_id"] for row in rows})


def test_another_linkage_group_needs_another_epoch(nightly: Nightly) -> None:
    installation, _ = nightly
    product = installation.settings.config / "products" / "research.toml"
    before = product.read_text()
    product.write_text(before.replace('[["tabular", "text"]]', '[["tabular", "photo"]]'))
    installation.job("anonymize", "night-1", product="research", modality="tabular")
    product.write_text(before)
    assert "Raise the epoch" in installation.refused[-1]


def test_a_candidate_that_was_staged_anew_after_its_audit_is_not_published(nightly: Nightly) -> None:
    installation, seen = nightly
    installation.job("anonymize", "night-1", product="research", modality="tabular")
    installation.job("publish", "night-1", product="research", modality="tabular")
    assert "staged anew" in installation.refused[-1]
    assert content(installation.published("tabular")) == content(seen["night-1"])
