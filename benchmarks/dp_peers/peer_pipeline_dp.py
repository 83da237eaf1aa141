"""PipelineDP on Spark RDDs: privacy ids by code with public partitions."""

import os
import sys

import pipeline_dp
from pyspark.sql import SparkSession
from timing import report

os.environ["PYSPARK_PYTHON"] = sys.executable  # workers would start the system's Python
path, codes, l0 = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
spark = SparkSession.builder.master("local[2]").config("spark.driver.memory", "6g").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
PUBLIC = [f"c{number:04d}" for number in range(codes)]


def run():
    """Release the counts once."""
    rows = spark.read.parquet(path).rdd
    accountant = pipeline_dp.NaiveBudgetAccountant(total_epsilon=1, total_delta=1e-7)
    engine = pipeline_dp.DPEngine(accountant, pipeline_dp.SparkRDDBackend(spark.sparkContext))
    params = pipeline_dp.AggregateParams(
        noise_kind=pipeline_dp.NoiseKind.GAUSSIAN,
        metrics=[pipeline_dp.Metrics.PRIVACY_ID_COUNT],
        max_partitions_contributed=l0,
        max_contributions_per_partition=1,
    )
    extractors = pipeline_dp.DataExtractors(
        privacy_id_extractor=lambda row: row.patient,
        partition_extractor=lambda row: row.code,
        value_extractor=lambda row: 0,
    )
    result = engine.aggregate(rows, params, extractors, public_partitions=PUBLIC)
    accountant.compute_budgets()
    return result.collect()


report(run)
