"""What all tests share: a home of their own, so that no test ever touches an installation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

os.environ["VEIL_CONFIG"] = str(PROJECT / "dags" / "config")
os.environ.setdefault("VEIL_JARS", str(PROJECT / ".veil" / "jars"))
os.environ.pop("VEIL_SPARK_REMOTE", None)
# the JIT's second compiler costs short runs more than it gives back
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make two groups for two processes: tests that share a Spark session, and the others."""
    spark = PROJECT / "tests" / "spark"
    for item in items:
        item.add_marker(pytest.mark.xdist_group("spark" if spark in item.path.parents else "others"))
