"""The driver of the shared Spark, under spark-submit: a session whose plugin serves Spark Connect.

Spark's own `SparkConnectServer` keeps the artifacts of each session apart, and so its Python workers: each task of a
run would start its own and load the models again. Here all sessions belong to one installation and share them.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLUGIN = "org.apache.spark.sql.connect.SparkConnectPlugin"


def main() -> None:
    """Serve until the JVM ends."""
    # the supervisor imports this module for its name alone, and stays for as long as the installation runs
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    warm(spark)
    spark.sparkContext._jvm.java.lang.Thread.currentThread().join()


def warm(spark: SparkSession) -> None:
    """Write, merge and read a table of a few rows while Airflow starts: the first write and read took 16 s."""
    with tempfile.TemporaryDirectory(dir=spark.sparkContext.getConf().get("spark.local.dir")) as folder:
        table = f"{folder}/table"
        spark.range(9).selectExpr("id", "'u' AS unit").createOrReplaceTempView("rows")
        spark.table("rows").write.format("delta").partitionBy("unit").save(table)
        spark.sql(
            f"MERGE INTO delta.`{table}` t USING rows s ON t.id = s.id WHEN MATCHED THEN UPDATE SET unit = s.unit "
            "WHEN NOT MATCHED THEN INSERT *"
        ).collect()
        spark.read.format("delta").load(table).join(spark.table("rows"), "id").groupBy("id").count().collect()
        spark.catalog.dropTempView("rows")


if __name__ == "__main__":
    main()
