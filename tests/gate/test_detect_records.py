"""What the gate reads of a record: every string, every name, and every number that may be somebody's."""

from __future__ import annotations

import json

import pytest

from veil import modalities
from veil.modalities.base import Candidate


def tokens_of(record: object) -> set[str]:
    gate = modalities.get("tabular").gate
    assert gate is not None
    return {token.value for token in gate.tokens(Candidate(json.dumps(record)))}


@pytest.mark.parametrize(
    "record",
    [
        {"valueString": "40817263"},
        {"valueInteger": 40817263},
        {"component": [{"valueQuantity": {"value": 40817263}}]},
        {"mrn_40817263": "7"},
        {"columns": {"40817263": "7"}},
    ],
)
def test_a_number_is_searched_for_wherever_it_stands(record: object) -> None:
    assert "40817263" in tokens_of(record)


def test_a_name_is_searched_for_in_the_name_of_a_column() -> None:
    assert "quillon vasterby" in tokens_of({"Quillon_Vasterby": "7"})


def test_a_measurement_is_no_number_of_anybodys() -> None:
    assert tokens_of([120, 80.5, 999_999, True, None]) == set()
