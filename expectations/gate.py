"""The gate's verdict on one unit: nothing passes that a detector names, and nothing passes a gate that is blind."""

from __future__ import annotations

from dataclasses import dataclass

from expectations.checkpoint import Result
from expectations.custom import ExpectColumnValuesToNameNoRule
from expectations.evidence import DETECTORS, KNOWN, Planted

_BY_DETECTORS = f"{ExpectColumnValuesToNameNoRule.expectation_type}:{DETECTORS}"
_BY_KNOWN = f"{ExpectColumnValuesToNameNoRule.expectation_type}:{KNOWN}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` says why a unit is blocked; `rows` are the keys of the candidates that failed an expectation."""

    reasons: tuple[str, ...]
    rows: frozenset[str]

    @property
    def passed(self) -> bool:
        """Whether the unit may be published."""
        return not self.reasons


def judge(result: Result, planted: Planted, candidates: int) -> Verdict:
    """Read a checkpoint's result: every canary must have been caught, and no candidate may have failed anything."""
    reasons = []
    if result.evaluated == 0 or candidates == 0:
        reasons.append("nothing was evaluated")
    if not planted.detectors:
        reasons.append("no canary was planted")
    if planted.detectors - result.failed.get(_BY_DETECTORS, frozenset()):
        reasons.append("the detectors missed a canary")
    if planted.known - result.failed.get(_BY_KNOWN, frozenset()):
        reasons.append("the search for known identifiers missed a canary")
    rows: frozenset[str] = frozenset().union(*result.failed.values()) - planted.rows
    reasons += [
        f"{name} failed" for name, failed in sorted(result.failed.items()) if failed - planted.rows or not failed
    ]
    return Verdict(tuple(reasons), rows)
