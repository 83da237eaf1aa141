"""What every staged row has to meet."""

from __future__ import annotations

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.custom import ExpectColumnValuesToNameNoRule
from expectations.evidence import DETECTORS, KNOWN, ROW_KEY

_OPAQUE_ID = "^[0-9a-f]{32}$"


def expectations(count: int) -> list[Expectation]:
    """Give the expectations; each is critical: one row that fails, or is missing, blocks its unit."""
    return [
        gxe.ExpectTableRowCountToEqual(value=count),
        gxe.ExpectColumnValuesToNotBeNull(column=ROW_KEY),
        gxe.ExpectColumnValuesToBeUnique(column=ROW_KEY),
        gxe.ExpectColumnValuesToMatchRegex(column=ROW_KEY, regex=_OPAQUE_ID),
        gxe.ExpectColumnValuesToNotBeNull(column="subject"),
        # a map expectation passes over nulls, so a detector that said nothing would pass without these
        gxe.ExpectColumnValuesToNotBeNull(column=DETECTORS),
        gxe.ExpectColumnValuesToNotBeNull(column=KNOWN),
        ExpectColumnValuesToNameNoRule(column=DETECTORS),
        ExpectColumnValuesToNameNoRule(column=KNOWN),
    ]
