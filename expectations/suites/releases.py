"""What a release has to meet before anybody sees its numbers."""

from __future__ import annotations

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from veil.release import STATE, Contents


def expectations(contents: Contents) -> list[Expectation]:
    """Give the expectations: the declared columns and no other, public keys alone, every number present.

    A row that is missing would tell that its true count is zero; a key that is none of the declaration's came from
    the data.
    """
    count = (
        gxe.ExpectTableRowCountToEqual(value=contents.rows)
        if contents.rows is not None
        else gxe.ExpectTableRowCountToBeBetween(min_value=0)
    )
    return [
        gxe.ExpectTableColumnsToMatchSet(column_set=[*contents.columns, STATE], exact_match=True),
        count,
        gxe.ExpectCompoundColumnsToBeUnique(column_list=list(contents.keys)),
        gxe.ExpectColumnValuesToNotBeNull(column=STATE),
        *(
            gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values))
            for column, values in sorted(contents.values.items())
        ),
    ]
