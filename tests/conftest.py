"""What all tests share: a home of their own, so that no test ever touches an installation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

PROJECT = Path(__file__).resolve().parents[1]

os.environ["VEIL_CONFIG"] = str(PROJECT / "dags" / "config")
os.environ.setdefault("VEIL_JARS", str(PROJECT / ".veil" / "jars"))
os.environ.pop("VEIL_SPARK_REMOTE", None)
# the JIT's second compiler costs short runs more than it gives back
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m")


class _BySession(LoadScopeScheduling):
    """Two groups for two processes: tests that share a Spark session, and the others, which share a demonstration."""

    def _split_scope(self, nodeid: str) -> str:
        return "spark" if nodeid.startswith("tests/spark/") else "others"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _BySession:
    return _BySession(config, log)
