"""The landing: a manifest that lands registers its drop and starts the pipeline."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, AssetWatcher, task

from veil.settings import Settings
from veil_landing import LandingManifestTrigger

RUNBOOK = """
### Landing
A drop has landed once its `manifest.json` is there. This DAG registers every such drop and starts `pipeline`.

**It does not run**: is the DAG unpaused, and does the triggerer run? Does the drop lie in
`restricted/landing/<source>/<drop>/` with its manifest? **It failed**: clear it; registering twice changes nothing.

Owner: the data engineering team.
"""
LANDING = Settings.from_env().lake / "restricted" / "landing"

manifests = Asset(
    "veil_manifests",
    watchers=[AssetWatcher(name="landing_zone", trigger=LandingManifestTrigger(landing=str(LANDING)))],
)

with DAG(
    dag_id="landing",
    dag_display_name="Landing: a drop arrives",
    description="Register drops whose manifest has landed, and start the pipeline",
    doc_md=RUNBOOK,
    schedule=[manifests],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["veil", "landing"],
    default_args={
        "owner": "data-engineering",
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "execution_timeout": timedelta(minutes=10),
    },
) as dag:

    @task
    def register() -> int:
        """Enter every complete drop into the registry; give how many there were, never which."""
        from veil.control import Store
        from veil.landing import register_all
        from veil_landing import REGISTERED, unregistered

        settings = Settings.from_env()
        return register_all(Store(settings.control), unregistered(LANDING), REGISTERED)

    register() >> TriggerDagRunOperator(task_id="start_pipeline", trigger_dag_id="pipeline", reset_dag_run=False)
