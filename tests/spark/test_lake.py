"""What the lake promises of every write: an older attempt never lands on a newer one, and no first write is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from veil.errors import Refused
from veil.lake import Lake, Write
from veil.session import open_session


def test_a_write_that_is_not_newer_than_the_last_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    lake = Lake(open_session("tests"), tmp_path)
    frame = lake.spark.createDataFrame([("u", 2)], "unit string, value int")
    lake.replace_unit(frame, "restricted", "t", "u", Write("stage/u", 2))
    late = lake.spark.createDataFrame([("u", 1)], "unit string, value int")
    update = "WHEN MATCHED THEN UPDATE SET value = s.value"
    for version in (1, 2):
        write = Write("stage/u", version)
        with pytest.raises(Refused, match="the control store is older than the lake"):
            lake.replace_unit(late, "restricted", "t", "u", write)
        with pytest.raises(Refused, match="A later attempt"):
            lake.merge("restricted", "t", late, "t.unit = s.unit", update, write, first=late)
    other = lake.spark.createDataFrame([("v", 1)], "unit string, value int")
    lake.replace_unit(other, "restricted", "t", "v", Write("stage/v", 1))
    assert sorted(row.value for row in lake.table("restricted", "t").collect()) == [1, 2]


def test_a_write_that_a_killed_attempt_left_running_does_not_land_on_its_retry(tmp_path: Path) -> None:
    lake = Lake(open_session("tests"), tmp_path)
    frame = lake.spark.createDataFrame([("u", 2)], "unit string, value int")
    lake.replace_unit(frame, "restricted", "t", "u", Write("stage/u", 2))
    writer = lake.spark.createDataFrame([("u", 1)], "unit string, value int").write.format("delta")
    writer = writer.option("txnAppId", "t/stage/u").option("txnVersion", 1)
    writer.mode("append").save(str(lake.path("restricted", "t")))
    assert [row.value for row in lake.table("restricted", "t").collect()] == [2]


def test_a_late_try_leaves_the_scratch_of_its_retry_alone(tmp_path: Path) -> None:
    lake = Lake(open_session("tests"), tmp_path)
    frame = lake.spark.createDataFrame([("u", 1)], "unit string, value int")
    lake.settle(frame, "rows", Write("stage/u", 1))
    theirs = lake.settle(frame, "rows", Write("stage/u", 2))
    lake.discard(Write("stage/u", 1))
    assert [path.name for path in (tmp_path / "restricted" / "scratch" / "stage" / "u").iterdir()] == ["2"]
    assert theirs.count() == 1


def test_two_that_make_a_table_at_the_same_moment_both_end_up_in_it(tmp_path: Path) -> None:
    lake = Lake(open_session("tests"), tmp_path)
    together = Barrier(2)

    def write(unit: str) -> None:
        frame = lake.spark.createDataFrame([(unit, 1)], "unit string, value int")
        together.wait()
        lake.replace_unit(frame, "restricted", "t", unit, Write(f"stage/{unit}", 1))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["u", "v"]))
    assert sorted(row.unit for row in lake.table("restricted", "t").collect()) == ["u", "v"]
