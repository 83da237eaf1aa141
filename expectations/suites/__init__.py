"""Suites: what each kind of candidate has to meet, as code."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.suites import payloads, releases, rows

__all__ = ["for_modality", "releases"]


def for_modality(*, binary: bool, count: int) -> list[Expectation]:
    """Give the expectations of a modality: those of `count` rows, and for payload objects those of binary ones too."""
    return [*rows.expectations(count), *(payloads.expectations() if binary else [])]
