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

LONGEST_FIRST = ("spark", "e2e")
"""Folders whose tests take minutes: they begin, so that neither of two processes waits for the other at the end."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests of a file in one process; those of `e2e` share one demonstration, so they go together."""
    folder = item.path.parent.name
    item.add_marker(pytest.mark.xdist_group(folder if folder == "e2e" else f"{folder}/{item.path.stem}"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST_FIRST)
