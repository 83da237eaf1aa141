"""What a reader of a published table sees, column by column (45 CFR 164.514(b)(2))."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from veil.contracts import Item
from veil.policy import Policy, load_policy
from veil.transforms.records import anonymize_row

PRODUCT = Path(__file__).parents[2] / "dags" / "config" / "products" / "research.toml"


@pytest.fixture(scope="module")
def safe_harbor() -> Policy:
    return load_policy(PRODUCT)


def row(policy: Policy, roles: dict[str, str], values: dict[str, Any]) -> tuple[dict[str, str], dict[str, int]]:
    item = Item("t", "f" * 32, "e" * 32, references={"encounters/7": "d" * 32})
    return anonymize_row(values, roles, policy.plan, item, lambda _, t: f"<{t}>", reference_year=2025)


def test_a_row_is_published_by_the_roles_of_its_columns(safe_harbor: Policy) -> None:
    roles = {
        "Id": "id",
        "PATIENT": "subject",
        "ENCOUNTER": "reference:encounters",
        "WHEN": "date",
        "ZIP": "zip",
        "CODE": "code",
        "VALUE": "measure",
        "NOTE": "text",
        "SSN": "direct:SSN",
    }
    values = {
        "id": "9",
        "patient": "1",
        "Encounter": "7",
        "WHEN": "2021-03-04 05:06:07",
        "ZIP": "02139",
        "CODE": "8302-2",
        "VALUE": "127.9",
        "NOTE": "Mrs Ortiz",
        "SSN": "999-94-5397",
        "MOTHER": "Ortiz",
    }
    out, dropped = row(safe_harbor, roles, values)
    assert out == {
        "Id": "f" * 32,
        "PATIENT": "e" * 32,
        "ENCOUNTER": "d" * 32,
        "WHEN": "2021",
        "ZIP": "021",
        "CODE": "8302-2",
        "VALUE": "127.9",
        "NOTE": "<Mrs Ortiz>",
    }
    assert dropped == {"t.SSN": 1, "t.?": 1}


def test_words_in_a_column_of_measurements_are_read_as_text(safe_harbor: Policy) -> None:
    out, _ = row(safe_harbor, {"VALUE": "measure"}, {"VALUE": "per Dr Wu"})
    assert out == {"VALUE": "<per Dr Wu>"}


def test_ages_and_years_over_89_in_a_row(safe_harbor: Policy) -> None:
    roles = {"BORN": "birth_date", "DIED": "date", "AGE": "age"}
    out, _ = row(safe_harbor, roles, {"BORN": "1930-01-01", "DIED": "2022-01-01", "AGE": "92"})
    assert out == {"AGE": "90"}


def test_a_row_of_the_wrong_shape_leaks_nothing(safe_harbor: Policy) -> None:
    values: dict[Any, Any] = {None: ["Ortiz"], "CODE": None, "code": "A", "X": {"deep": "Ortiz"}}
    out, _ = row(safe_harbor, {"CODE": "code"}, values)
    assert "Ortiz" not in json.dumps(out)
    assert out == {"CODE": "A"}


def test_of_two_columns_that_differ_in_case_one_is_published(safe_harbor: Policy) -> None:
    out, dropped = row(safe_harbor, {"CODE": "code"}, {"CODE": "A", "code": "B"})
    assert out == {"CODE": "A"}
    assert dropped == {"t.CODE": 1}
