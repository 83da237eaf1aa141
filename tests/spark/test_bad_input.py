"""Bad input: each piece is refused with a reason that a person can act on, and the rest goes on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.spark.conftest import Installation, new_installation
from tests.spark.resources import condition, patient, write
from veil.control import registry
from veil.errors import VeilError
from veil.readers.landing import land
from veil.readers.manifest import build_manifest, read_manifest


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One drop with everything wrong at once, through ingest, beside one good patient."""
    home = tmp_path_factory.mktemp("bad")
    installation = new_installation(home / "home")
    folder = write(home / "in", patient(0), patient(1), patient(2), condition(0))
    lines = [
        json.dumps(condition(4)).encode(),
        b'{"resourceType": "Condition", "id": "cut", "subj',
        b'{"resourceType": "Condition", "id": "latin", "note": [{"text": "caf\xe9"}]}',
        json.dumps({**condition(5), "subject": {"reference": "Patient/zzmissing"}}).encode(),
        json.dumps(condition(6)).encode(),
        json.dumps(condition(6, "73211009")).encode(),
        json.dumps({"resourceType": "Spaceship", "id": "s1", "subject": {"reference": "Patient/p0"}}).encode(),
        b'{"resourceType": "Condition", "id": "huge", "x": "' + b"x" * (17 << 20) + b'"}',
    ]
    (folder / "More.ndjson").write_bytes(b"\n".join(lines))
    (folder / "unknown.csv").write_text("a,b\n1,2\n")
    (folder / "altered.txt").write_text("a note")
    (folder / "gone.txt").write_text("another note")
    landing = installation.settings.lake / "restricted" / "landing"
    landed = land(folder, build_manifest(folder, "ehr", _recognisers()), landing, drop_id="d" * 32)
    (landed / "altered.txt").write_text("b note")
    (landed / "gone.txt").unlink()
    registry.register_drop(installation.store, landed, "ehr")
    broken = landing / "ehr" / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{")
    registry.register_drop(installation.store, broken, "ehr")
    installation.run("run")
    return installation


def _recognisers() -> list:  # type: ignore[type-arg]
    from veil.modalities import recognisers

    return recognisers()


REASONS = {
    "unfit-file": {"SHA-256", "missing"},
    "malformed-record": {"not valid JSON", "UTF-8"},
    "unreadable-line": {"line"},
    "no-subject": {"send its patient"},
    "duplicate-id": {"twice with different content"},
    "unknown-table": {".columns.toml"},
}


@pytest.mark.parametrize("rule", REASONS)
def test_every_bad_piece_is_in_quarantine_with_a_reason(mended: Installation, rule: str) -> None:
    items = [item for item in mended.table("restricted/quarantine") if item["rule"] == rule]
    assert items
    for words in REASONS[rule]:
        assert any(words in item["reason"] for item in items), {item["reason"] for item in items}


def test_a_position_leads_back_to_the_line(mended: Installation) -> None:
    item = next(item for item in mended.table("restricted/quarantine") if "not valid JSON" in item["reason"])
    assert item["path"] == "More.ndjson"
    assert item["position"] == len(json.dumps(condition(4))) + 1


def test_what_could_not_be_read_is_kept_for_the_person_who_mends_it(mended: Installation) -> None:
    item = next(item for item in mended.table("restricted/quarantine") if "not valid JSON" in item["reason"])
    assert item["content"] == '{"resourceType": "Condition", "id": "cut", "subj'


def test_an_unknown_resource_type_is_not_published_and_says_so(mended: Installation) -> None:
    items = [item for item in mended.table("restricted/quarantine") if item["stage"] == "anonymize"]
    assert [item["type"] for item in items] == ["Spaceship"]
    assert "policy" in items[0]["reason"]


def test_the_rest_of_the_drop_is_published(mended: Installation) -> None:
    assert sorted(row["type"] for row in mended.published("tabular")) == ["Condition"] * 2 + ["Patient"] * 3


def test_a_drop_without_a_readable_manifest_is_refused_whole_and_the_other_goes_on(mended: Installation) -> None:
    refused = registry.refused_drops(mended.store, "run")
    assert len(refused) == 1
    assert "manifest" in refused[0][1]


def test_no_reason_quotes_the_data(mended: Installation) -> None:
    reasons = " ".join(item["reason"] for item in mended.table("restricted/quarantine"))
    for value in ("Okonkwo", "77041", "zzmissing", "Spaceship", "xxxx", "café"):
        assert value not in reasons


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "a/../../b.txt"])
def test_a_manifest_that_points_outside_is_refused(tmp_path: Path, path: str) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    entry = {"path": path, "modality": "text", "size": 0, "sha256": digest, "format": "plain"}
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "source": "ehr", "files": [entry]}))
    with pytest.raises(VeilError, match="path"):
        read_manifest(tmp_path / "manifest.json")


def test_a_budget_of_zero_refuses_the_release_and_charges_nothing(mended: Installation, tmp_path: Path) -> None:
    import shutil

    from veil import ledger

    config = tmp_path / "config"
    shutil.copytree(mended.settings.config, config)
    file = config / "budgets.toml"
    file.write_text(file.read_text().replace("lifetime_rho = 1.0", "lifetime_rho = 0.0"))
    poor = Installation(type(mended.settings)(**{**_fields(mended), "config": config}))
    poor.job("release", "run", release="monthly_conditions")
    assert "budget" in poor.refused[0]
    assert {block.spent for block in ledger.blocks(poor.store)} <= {0}
    assert not (poor.settings.lake / "releases").exists()


def _fields(installation: Installation) -> dict[str, object]:
    settings = installation.settings
    return {name: getattr(settings, name) for name in type(settings).__dataclass_fields__}
