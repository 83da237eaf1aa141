"""What a staged payload object has to meet."""

from __future__ import annotations

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.evidence import INTACT, OBJECT


def expectations() -> list[Expectation]:
    """Give the expectations: every row names its object, and the object's bytes are those that were inspected."""
    return [gxe.ExpectColumnValuesToMatchRegex(column=OBJECT, regex=f"^{INTACT}$")]
