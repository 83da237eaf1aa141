"""What the lake promises of every write: an older attempt never lands on a newer one, and no first write is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from veil.lake import Lake, Write
from veil.session import open_session


def test_a_write_that_a_fenced_attempt_left_running_is_ignored(tmp_path: Path) -> None:
    lake = Lake(open_session("tests"), tmp_path)
    frame = lake.spark.createDataFrame([("u", 2)], "unit string, value int")
    lake.replace_unit(frame, "restricted", "t", "u", Write("stage/u", 2))
    zombie = lake.spark.createDataFrame([("u", 1)], "unit string, value int")
    lake.replace_unit(zombie, "restricted", "t", "u", Write("stage/u", 1))
    lake.merge(
        "restricted",
        "t",
        zombie,
        "t.unit = s.unit",
        "WHEN MATCHED THEN UPDATE SET value = s.value",
        Write("stage/u", 1),
        first=zombie,
    )
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
