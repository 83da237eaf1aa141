"""What blocks a unit: a row that fails, and a gate that cannot show that it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations import checkpoint, suites
from expectations.checkpoint import Result
from expectations.evidence import DETECTORS, KNOWN, OBJECT, ROW_KEY, Planted
from expectations.gate import Verdict, judge

BY_DETECTORS = f"expect_column_values_to_name_no_rule:{DETECTORS}"
BY_KNOWN = f"expect_column_values_to_name_no_rule:{KNOWN}"
PLANTED = Planted(detectors=frozenset({"c1", "c2"}), known=frozenset({"k1"}))
SEEN = {BY_DETECTORS: frozenset({"c1", "c2"}), BY_KNOWN: frozenset({"k1"})}


def verdict(failed: dict[str, frozenset[str]], planted: Planted = PLANTED, rows: int = 9, checks: int = 8) -> Verdict:
    return judge(Result(checks, failed), planted, rows)


def test_a_unit_passes_when_every_canary_was_caught_and_nothing_else_failed() -> None:
    assert verdict(SEEN) == Verdict((), frozenset())
    assert verdict(SEEN).passed


def test_a_canary_that_both_searches_catch_is_no_finding() -> None:
    assert verdict({**SEEN, BY_KNOWN: frozenset({"k1", "c1"})}).passed


@pytest.mark.parametrize("check", [BY_DETECTORS, BY_KNOWN, "expect_column_values_to_be_unique:row_id"])
def test_one_failed_row_blocks_and_is_named(check: str) -> None:
    found = verdict({**SEEN, check: SEEN.get(check, frozenset()) | {"row"}})
    assert not found.passed
    assert found.rows == {"row"}
    assert found.reasons == (f"{check} failed",)


def test_a_failure_without_row_keys_blocks() -> None:
    found = verdict({**SEEN, "expect_column_values_to_not_be_null:row_id": frozenset()})
    assert found.reasons == ("expect_column_values_to_not_be_null:row_id failed",)
    assert found.rows == frozenset()


@pytest.mark.parametrize(
    ("failed", "reason"),
    [
        ({**SEEN, BY_DETECTORS: frozenset({"c1"})}, "the detectors missed a canary"),
        ({BY_KNOWN: frozenset({"k1"})}, "the detectors missed a canary"),
        ({BY_DETECTORS: frozenset({"c1", "c2"})}, "the search for known identifiers missed a canary"),
        # caught by the other search, which proves nothing about this one
        (
            {BY_DETECTORS: frozenset({"c1", "c2", "k1"})},
            "the search for known identifiers missed a canary",
        ),
    ],
)
def test_a_gate_that_missed_a_canary_blocks(failed: dict[str, frozenset[str]], reason: str) -> None:
    found = verdict(failed)
    assert found.reasons == (reason,)
    assert found.rows == frozenset()


@pytest.mark.parametrize(("rows", "checks"), [(0, 8), (9, 0), (0, 0)])
def test_a_gate_that_evaluated_nothing_blocks(rows: int, checks: int) -> None:
    assert "nothing was evaluated" in verdict(SEEN, rows=rows, checks=checks).reasons


def test_a_gate_without_canaries_blocks() -> None:
    assert verdict({}, Planted(frozenset(), frozenset())).reasons == ("no canary was planted",)


def test_all_reasons_are_given_at_once() -> None:
    found = verdict({BY_DETECTORS: frozenset({"row"})})
    assert len(found.reasons) == 3
    assert found.rows == {"row"}


def test_an_empty_suite_is_an_error(tmp_path: Path) -> None:
    frame: Any = None
    with pytest.raises(ValueError, match="empty suite"):
        checkpoint.run(frame, "unit", [], tmp_path)


@pytest.mark.parametrize("binary", [False, True])
def test_what_a_detector_says_and_its_silence_are_both_judged(binary: bool) -> None:
    judged = {
        (check.expectation_type, getattr(check, "column", "")) for check in suites.for_modality(binary=binary, count=7)
    }
    for column in (DETECTORS, KNOWN):
        assert ("expect_column_values_to_name_no_rule", column) in judged
        assert ("expect_column_values_to_not_be_null", column) in judged
    assert ("expect_column_values_to_be_unique", ROW_KEY) in judged
    assert ("expect_table_row_count_to_equal", "") in judged
    assert (("expect_column_values_to_match_regex", OBJECT) in judged) == binary
