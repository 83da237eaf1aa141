"""What a release has to meet before anybody sees its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation


def expectations(columns: Sequence[str], keys: Sequence[str], rows: int) -> list[Expectation]:
    """Give the expectations: the declared columns and no other, one row for each public key, every number present.

    A row that is missing would tell that its true count is zero.
    """
    return [
        gxe.ExpectTableColumnsToMatchSet(column_set=list(columns), exact_match=True),
        gxe.ExpectTableRowCountToEqual(value=rows),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=list(keys)),
        *(gxe.ExpectColumnValuesToNotBeNull(column=column) for column in columns),
    ]
