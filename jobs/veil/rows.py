"""Rows of a Delta table without Spark, for what runs outside of a job: the command line and the closing scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def rows(table: Path, columns: str = "*", where: str = "true") -> Iterator[dict[str, Any]]:
    """Give the rows of the table in the folder `table`, none where no table was written yet.

    `columns` and `where` are SQL.

    Deltalake's own engine reads them. Its way through pyarrow calls Python from threads that outlive the read: a
    command that ends with an error while they run is aborted (exit status 134) before it has said what is wrong.
    """
    import pyarrow as pa
    from deltalake import DeltaTable, QueryBuilder

    if not (table / "_delta_log").exists():
        return
    found = QueryBuilder().register("rows", DeltaTable(str(table))).execute(f"SELECT {columns} FROM rows WHERE {where}")
    for batch in pa.RecordBatchReader.from_stream(found):
        yield from batch.to_pylist()
