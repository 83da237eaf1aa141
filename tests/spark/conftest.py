"""One Spark session for all tests, and installations of their own to run jobs in."""

from __future__ import annotations

import importlib.util
import logging
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from deltalake import DeltaTable

from veil.control import Store, receipts, registry
from veil.control.receipts import Receipt
from veil.demo import GroundTruth, generate
from veil.entry import Arguments
from veil.errors import Refused
from veil.keys import FileKey
from veil.landing import register_all
from veil.modalities import recognisers
from veil.readers.landing import land
from veil.readers.manifest import build_manifest
from veil.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
PATIENTS = 20


def _job(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"job_{name}", PROJECT / "jobs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Installation:
    """An installation in a temporary folder, driven the way Airflow drives it: job by job."""

    settings: Settings
    refused: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.settings.control)

    def land(self, folder: Path, source: str = "ehr", date: str | None = None) -> str:
        landing = self.settings.lake / "restricted" / "landing"
        drop_id = secrets.token_hex(16)
        landed = land(folder, build_manifest(folder, source, recognisers()), landing, drop_id=drop_id)
        if date is not None:
            registry.register_drop(self.store, landed, source, date)
        register_all(self.store, [landed / "manifest.json"], ".registered")
        return drop_id

    def land_demo(self, tmp: Path, night: int = 0, date: str | None = None) -> GroundTruth:
        shutil.rmtree(tmp, ignore_errors=True)
        truth = generate(tmp, patients=PATIENTS, night=night)
        self.land(tmp, date=date)
        return truth

    def job(self, name: str, run: str, **arguments: str) -> None:
        """Run one job; a refusal is noted, as Airflow would show the task in red."""
        try:
            _job(name).run(self.settings, self.store, Arguments(run, **arguments))
        except Refused as error:
            self.refused.append(str(error))

    def run(
        self, run: str, modalities: tuple[str, ...] = ("tabular",), product: str = "research", **ingest: str
    ) -> None:
        """Run the whole graph of one product for some modalities."""
        self.job("ingest", run, **ingest)
        for modality in modalities:
            for stage in ("anonymize", "audit", "publish"):
                self.job(stage, run, product=product, modality=modality)

    def published(self, modality: str, product: str = "research", epoch: int = 1) -> list[dict[str, Any]]:
        path = self.settings.lake / "published" / product / f"epoch-{epoch}" / modality
        if not (path / "_delta_log").exists():
            return []
        return DeltaTable(str(path)).to_pyarrow_table().to_pylist()

    def receipt(self, stage: str, run: str) -> Receipt:
        return [receipt for receipt in receipts.of_run(self.store, run) if receipt.stage == stage][-1]

    def table(self, name: str) -> list[dict[str, Any]]:
        return DeltaTable(str(self.settings.lake / name)).to_pyarrow_table().to_pylist()


def new_installation(home: Path, config: Path | None = None) -> Installation:
    environment = {"VEIL_HOME": str(home), "VEIL_CONFIG": str(config or PROJECT / "dags" / "config")}
    settings = Settings.from_env(environment)
    FileKey.create(settings.key_file)
    return Installation(settings)


def content(rows: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """What a reader sees of a table, whatever unit and commit brought it."""
    return {(row["row_id"], row["subject"], row["sha256"]) for row in rows}


@pytest.fixture(scope="session", autouse=True)
def spark() -> Iterator[None]:
    from veil.session import open_session

    session = open_session("tests")
    session.sparkContext.setLogLevel("ERROR")
    # tables of a few rows: planning is all that takes time
    session.conf.set("spark.sql.adaptive.enabled", "false")
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    yield
    session.stop()
    logging.getLogger("py4j.clientserver").setLevel(
        logging.WARNING
    )  # it logs once more after pytest's streams are gone


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, GroundTruth]:
    """The demo drop, through every job, once for all tests that only look."""
    home = tmp_path_factory.mktemp("demo run")  # a path with a space
    installation = new_installation(home)
    truth = installation.land_demo(home / "delivered", date="2026-03-01")
    installation.run("night-0", ("tabular", "text", "photo", "dicom"))
    installation.job("release", "night-0", release="monthly_conditions")
    shutil.rmtree(home / "delivered")
    return installation, truth
