"""The rows that a release counts: current records of bronze whose subjects' consent allows it, as declared columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil import vault
from veil.ingest.accept import normalised
from veil.ingest.stage import bronze
from veil.lake import Lake
from veil.privacy import calendars
from veil.privacy.load import Release
from veil.privacy.spec import ENVELOPE, Read

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

UNIT = "privacy_unit"


def admitted(lake: Lake, release: Release) -> DataFrame:
    """Give the current records of a release's source, modality and types whose subjects' consent allows use.

    Of a release by windows, those that began within the window.
    """
    from pyspark.sql import functions as F

    spec = release.spec
    is_current = (F.col("modality") == spec.records.modality) & (F.col("source") == spec.source) & ~F.col("deleted")
    current = vault.table(lake, vault.RECORDS).where(is_current).select("row_uid", "unit")
    rows = bronze(lake, spec.records.modality).join(current, ["row_uid", "unit"])
    wanted = rows.where(F.col("type").isin(spec.records.types))
    if spec.window is not None:
        wanted = wanted.where(F.expr(calendars.sql(spec.window, "start")) == release.window)
    needed = ["source", "key", "hash", "subject_uid", "start", "code_system", "code", "references", "type"]
    if any(read.read.startswith("$") for read in spec.columns.values()):
        needed.append("content")
    return wanted.join(vault.denied(lake), "subject_uid", "left_anti").select(*needed)


def rows(records: DataFrame, release: Release) -> DataFrame:
    """Give, for each record, its privacy unit and the columns that the release declares, its public tables joined.

    The joins come before anything is bounded, and a key of a public table stands once: they multiply no record. A
    record without a day is of no patient-day and left out.
    """
    from pyspark.sql import functions as F

    spec = release.spec
    unit = F.col("subject_uid")
    if spec.privacy_unit == "patient-day":
        day = F.expr(calendars.sql("day", "start"))
        records, unit = records.where(day.isNotNull()), F.concat(_present(unit), F.lit("|"), day)
    read = [_column(of).alias(name) for name, of in spec.columns.items()]
    return joined(records.select(unit.alias(UNIT), *read), release)


def joined(found: DataFrame, release: Release) -> DataFrame:
    """Join the public tables of a release to its declared columns."""
    from pyspark.sql import functions as F

    spec = release.spec
    for table in spec.tables:
        public = release.tables[table.file]
        given = [column for column in public.columns if column not in table.on]
        renamed = [table.on.get(column, column) for column in public.columns]
        frame = found.sparkSession.createDataFrame(public.rows, ", ".join(f"{name} string" for name in renamed))
        kept = [column for column in given if column in spec.keys or column in spec.columns]
        found = found.join(F.broadcast(frame.select(*table.on.values(), *kept)), list(table.on.values()), "left")
    return found


def _present(unit: Column) -> Column:
    """Keep an empty subject empty: with a day behind it nobody would see that it is missing."""
    from pyspark.sql import functions as F

    return F.when(unit != "", unit)


def _column(of: Read) -> Column:
    from pyspark.sql import functions as F

    if of.read == "reference":
        pointed = F.transform("references", normalised)
        return F.try_element_at(F.filter(pointed, lambda target: target.startswith(f"{of.to}/")), F.lit(1))
    text = of.read if of.read in ENVELOPE else f"get_json_object(content, '{_quoted(of.read)}')"
    if of.form == "text":
        return F.expr(text)
    if of.form == "number":
        return F.expr(f"try_cast({text} AS double)")
    return F.expr(calendars.sql(of.form, text))


def _quoted(path: str) -> str:
    return path.replace("\\", "\\\\").replace("'", "\\'")
