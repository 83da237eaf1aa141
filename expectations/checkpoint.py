"""Running a suite: one checkpoint, a result format that cannot hold a value, and the verdict read out of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from great_expectations.expectations.expectation import Expectation

from expectations.evidence import ROW_KEY

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SAFE_FORMAT: dict[str, Any] = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "include_unexpected_rows": False,
    "unexpected_index_column_names": [ROW_KEY],
}
_AGGREGATE_FORMAT: dict[str, Any] = {"result_format": "BOOLEAN_ONLY"}
_FORBIDDEN = ("unexpected_list", "partial_unexpected_list", "partial_unexpected_counts", "unexpected_rows")


@dataclass(frozen=True, slots=True)
class Result:
    """What a checkpoint found: for each expectation its name, whether it held, and the keys of the rows that failed."""

    evaluated: int
    failed: dict[str, frozenset[str]] = field(default_factory=dict)


def run(frame: DataFrame, name: str, suite: Sequence[Expectation], results: Path, *, by_row: bool = True) -> Result:
    """Validate a frame and keep the result, without values, as ``<results>/<name>.json``.

    `by_row` asks for the keys (column ``row_id``) of the rows that failed; otherwise only success is recorded.

    Raises
    ------
    ValueError
        When the suite is empty or the result holds a value after all.
    """
    if not suite:
        raise ValueError("an empty suite proves nothing")
    for name_of_logger in [key for key in logging.root.manager.loggerDict if key.startswith("great_expectations")]:
        logging.getLogger(name_of_logger).setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_spark("candidate", persist=False)
    batch = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    expected = context.suites.add(gx.ExpectationSuite(name=name, expectations=list(suite)))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=expected))
    checkpoint = gx.Checkpoint(
        name=name,
        validation_definitions=[validation],
        result_format=_SAFE_FORMAT if by_row else _AGGREGATE_FORMAT,
    )
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    described = [result.to_json_dict() for result in next(iter(outcome.run_results.values())).results]
    kept = [_kept(result) for result in described]
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(kept, indent=1, sort_keys=True))
    return Result(evaluated=len(kept), failed=_failures(described))


def _kept(result: dict[str, Any]) -> dict[str, Any]:
    """Keep of a result what is safe: which expectation, on which column, and how many rows failed."""
    body = result.get("result", {})
    for name in _FORBIDDEN:
        if body.get(name):
            raise ValueError(f"the validation result holds values ({name}): its format is not safe")
    config = result["expectation_config"]
    return {
        "expectation": config["type"],
        "column": config["kwargs"].get("column"),
        "success": result["success"],
        "elements": body.get("element_count"),
        "unexpected": body.get("unexpected_count"),
        "failed_to_run": bool(result.get("exception_info", {}).get("raised_exception")),
    }


def _failures(described: list[dict[str, Any]]) -> dict[str, frozenset[str]]:
    failed: dict[str, frozenset[str]] = {}
    for result in described:
        if not result["success"]:
            config = result["expectation_config"]
            name = ":".join(part for part in (config["type"], config["kwargs"].get("column")) if part)
            listed = result.get("result", {}).get("unexpected_index_list") or []
            failed[name] = frozenset(str(key) for entry in listed for key in entry[ROW_KEY])
    return failed
