"""The pipeline: one graph, started by the schedule, by a drop that lands, or by a backfill."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronPartitionTimetable, Param, TaskGroup, TriggerRule, task

from catalog import products, releases
from veil_jobs import VeilJobOperator

RUNBOOK = """
### Pipeline
Takes what has landed through **ingest → anonymize → audit → publish** for every product and modality, and makes the
differentially private **releases**.

| start | how | takes |
|---|---|---|
| schedule | daily at 00:00 UTC | all drops that wait |
| new data | DAG `landing` triggers it | all drops that wait |
| backfill | `airflow backfill create --dag-id pipeline --from-date … --to-date …` | every unit of those dates, again |

**An `audit` task is red**: the gate saw an identifier, and nothing of that modality was published. The *Veil report*
tab says which rule; `veil quarantine list` names the rows. Mend the policy, or withhold a row with
`veil quarantine exclude ITEM`, then start the run again: the unit is taken again.
**A `release` task is red with a budget message**: running it again will not help; see `veil budget show`.
**Any other task is red**: its message says what to do. Clear it; what it had half done is undone first.

Owner: the data engineering team.
"""
BACKFILLED = "{{ dag_run.partition_date.strftime('%Y-%m-%d') if dag_run.run_type == 'backfill' else params.date }}"
RUN_KEY = "{{ run_id }}"


def job(
    name: str, task_id: str, trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS, **arguments: str
) -> VeilJobOperator:
    """Make the task of a job."""
    return VeilJobOperator(
        task_id=task_id,
        job=name,
        arguments={"run_key": RUN_KEY, **arguments},
        execution_timeout=timedelta(hours=4),
        trigger_rule=trigger_rule,
    )


with DAG(
    dag_id="pipeline",
    dag_display_name="Pipeline: drops to published data",
    description="Ingest, anonymize, audit, publish and release what has landed",
    doc_md=RUNBOOK,
    # midnight, since a partition is a day: with a later hour `--to-date` of a backfill would leave its last day out
    schedule=CronPartitionTimetable("0 0 * * *", timezone="UTC", key_format="%Y-%m-%d"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,  # runs share the published tables, and take turns
    tags=["veil", "privacy"],
    default_args={
        "owner": "data-engineering",
        "retries": 2,
        "retry_delay": timedelta(seconds=15),
        "pool": "spark",
    },
    params={
        "date": Param(
            "",
            type="string",
            pattern=r"^(\d{4}-\d{2}-\d{2})?$",
            title="Day to process again",
            description="Process every unit of the drops of this day again. Empty: take the drops that wait.",
        )
    },
    render_template_as_native_obj=False,
) as dag:
    ingest = job("ingest", "ingest", date=BACKFILLED)

    ends = []
    for product in products():
        with TaskGroup(product.name, tooltip=product.title):
            for modality in product.modalities:
                with TaskGroup(modality, tooltip=f"{modality} for {product.title}"):
                    what = {"product": product.name, "modality": modality}
                    anonymize = job("anonymize", "anonymize", **what)
                    audit = job("audit", "audit", **what)
                    # also after a red audit: what it blocks is not published, but denials and deletions do not wait
                    publish = job("publish", "publish", trigger_rule=TriggerRule.NONE_SKIPPED, **what)
                    ingest >> anonymize >> audit >> publish
                    ends.append(publish)
    with TaskGroup("releases", tooltip="Differentially private numbers"):
        for release in releases():
            if release.after_ingest:
                draw = job("release", release.name, release=release.name)
                draw.doc_md = release.title
                ingest >> draw
                ends.append(draw)

    @task(  # type: ignore[untyped-decorator]
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        retries=2,
        pool="default_pool",
        execution_timeout=timedelta(minutes=30),
    )
    def report(run_id: str | None = None) -> None:
        """Search what the run wrote for identifiers, print the report, and fail if anything was blocked."""
        from airflow.sdk.exceptions import AirflowFailException

        from veil.control import Store
        from veil.run_end import close_run
        from veil.settings import Settings

        settings = Settings.from_env()
        text, problems = close_run(settings, Store(settings.control), str(run_id))
        for line in text.splitlines():
            print(line)  # noqa: T201 - a task's output is its log
        if problems:
            raise AirflowFailException("; ".join(problems))

    ends >> report()
