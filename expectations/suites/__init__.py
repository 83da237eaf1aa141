"""Suites: what each kind of candidate has to meet, as code."""

from __future__ import annotations

from great_expectations.expectations.expectation import Expectation

from expectations.suites import payloads, releases, rows

__all__ = ["for_modality", "releases"]


def for_modality(*, binary: bool) -> list[Expectation]:
    """Give the expectations of a modality: those of every row, and for payload objects those of binary ones too."""
    return [*rows.expectations(), *(payloads.expectations() if binary else [])]
