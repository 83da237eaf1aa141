"""Custom expectations: what Great Expectations' own do not say."""

from __future__ import annotations

from typing import Any

from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)


class ColumnValuesNameNoRule(ColumnMapMetricProvider):  # type: ignore[misc]
    """The condition of `ExpectColumnValuesToNameNoRule`: the list of rule ids is empty."""

    condition_metric_name = "column_values.name_no_rule"

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls, column: Any, **kwargs: Any) -> Any:  # noqa: N805 - Great Expectations makes it a class method
        return column == ""


class ExpectColumnValuesToNameNoRule(ColumnMapExpectation):  # type: ignore[misc]
    """Expect that no detector named a rule for a row: the column lists the ids of the rules that were broken."""

    map_metric = "column_values.name_no_rule"
