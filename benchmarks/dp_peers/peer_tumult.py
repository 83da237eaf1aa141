"""Tumult Analytics: patients by code, as its documentation counts distinct identifiers by public keys."""

import os
import sys

from pyspark.sql import SparkSession
from timing import report
from tmlt.analytics import (
    AddRowsWithID,
    KeySet,
    MaxGroupsPerID,
    MaxRowsPerGroupPerID,
    QueryBuilder,
    RhoZCDPBudget,
    Session,
)

os.environ["PYSPARK_PYTHON"] = sys.executable  # workers would start the system's Python
path, codes, l0, rho = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "6g")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
KEYS = KeySet.from_dict({"code": [f"c{number:04d}" for number in range(codes)]})


def run():
    """Release the counts once."""
    session = Session.from_dataframe(
        RhoZCDPBudget(rho), "records", spark.read.parquet(path), protected_change=AddRowsWithID("patient")
    )
    query = (
        QueryBuilder("records")
        .enforce(MaxGroupsPerID("code", l0))
        .enforce(MaxRowsPerGroupPerID("code", 1))
        .groupby(KEYS)
        .count()
    )
    return session.evaluate(query, RhoZCDPBudget(rho)).collect()


report(run)
