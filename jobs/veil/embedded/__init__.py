"""One machine: Airflow and a warm Spark Connect server, started and stopped together."""
