"""Releases: one DAG for each declaration, on its own timetable."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, CronPartitionTimetable, Param, TriggerRule, task

from catalog import Release, approvers, releases
from veil_jobs import VeilJobOperator

RUNBOOK = """
### Release
Draws differentially private numbers and publishes them: **price → (approve → enter) → draw**.

`price` prints what the draw costs and how precise its numbers are. A draw of `large_rho` or more (`budgets.toml`)
waits for one of the approvers; any other goes on by itself. A run that was cleared, tried again or backfilled gives
the same numbers for nothing, unless the records have changed.

| start | how |
|---|---|
| schedule | `schedule` of the declaration; by windows, when a window is over |
| by hand | Trigger; a release by windows needs a day of the window |
| backfill | `airflow backfill create --dag-id release_NAME --from-date … --to-date …` |

**`draw` is red with a budget message**: running it again will not help; see `veil budget show`. A cap is raised by
two people through the DAG `raise_budget`. **`approve` is red**: the approver said no, or nobody answered in a week.

Owner: the data engineering team.
"""
DAY = "{{ dag_run.partition_date.strftime('%Y-%m-%d') if dag_run.partition_date else params.date }}"
MINUTES = timedelta(minutes=10)
COMMON: dict[str, Any] = {
    "start_date": datetime(2020, 1, 1),
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["veil", "release"],
    "default_args": {"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(seconds=15)},
}


def waiting(task_id: str, subject: str, body: str) -> ApprovalOperator:
    """Make a task that waits a week for one of the approvers; it fails where they say no."""
    return ApprovalOperator(
        task_id=task_id,
        subject=subject,
        body=body,
        assigned_users=[{"id": name, "name": name} for name in approvers()],
        fail_on_reject=True,
        response_timeout=timedelta(days=7),
    )


def answered_by(answer: Any) -> str:
    """Give the user who answered a waiting task, "" where nobody did."""
    return str(((answer or {}).get("responded_by_user") or {}).get("id", ""))


def timetable(release: Release) -> CronPartitionTimetable | None:
    """Give when a release is made: the partition of a run is the window that has just ended."""
    if release.schedule is None:
        return None
    offset = None if release.window is None else -1
    return CronPartitionTimetable(release.schedule, timezone="UTC", run_offset=offset, key_format="%Y-%m-%d")


def make(release: Release) -> DAG:
    """Make the DAG of one release."""
    with DAG(
        dag_id=f"release_{release.name}",
        dag_display_name=f"Release: {release.title}",
        description=f"Draw and publish {release.title}",
        doc_md=RUNBOOK,
        schedule=timetable(release),
        params={
            "date": Param(
                "",
                type="string",
                pattern=r"^(\d{4}-\d{2}-\d{2})?$",
                title="A day of the window",
                description="Needed by a release by windows that is started by hand.",
            ),
            "redraw": Param(
                0,
                type="integer",
                minimum=0,
                title="Redraw",
                description="Raise it to draw once more for the same records, and to pay once more.",
            ),
        },
        **COMMON,
    ) as dag:

        @task.branch(execution_timeout=MINUTES)  # type: ignore[untyped-decorator]
        def price(name: str, day: str, ti: Any = None) -> str:
            """Print what the draw costs; a large one goes to an approver, with what was printed."""
            from veil.pricing import price_of
            from veil.settings import Settings

            found = price_of(Settings.from_env().config, name, day)
            ti.xcom_push(key="told", value=found.told)
            ti.xcom_push(key="spec_hash", value=found.spec_hash)
            print(found.told)  # noqa: T201 - a task's output is its log
            return "approve" if found.is_large else "draw"

        approve = waiting(
            "approve",
            f"May {release.name} be drawn?",
            "```\n{{ ti.xcom_pull(task_ids='price', key='told') }}\n```",
        )

        @task(execution_timeout=MINUTES)  # type: ignore[untyped-decorator]
        def enter(name: str, day: str, ti: Any = None, run_id: str | None = None) -> None:
            """Enter in the ledger who agreed, and to what."""
            from airflow.sdk.exceptions import AirflowFailException

            from veil.control import Store
            from veil.errors import Refused
            from veil.pricing import enter_approval
            from veil.settings import Settings

            settings = Settings.from_env()
            priced = str(ti.xcom_pull(task_ids="price", key="spec_hash"))
            who = answered_by(ti.xcom_pull(task_ids="approve"))
            try:
                enter_approval(Store(settings.control), settings.config, name, day, priced, who, str(run_id))
            except Refused as error:
                raise AirflowFailException(str(error)) from None

        draw = VeilJobOperator(
            task_id="draw",
            job="release",
            arguments={
                "run_key": "{{ run_id }}",
                "release": release.name,
                "date": DAY,
                "redraw": "{{ params.redraw }}",
            },
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
            execution_timeout=timedelta(hours=4),
            pool="spark",
        )
        cost = price(release.name, DAY)
        entered = enter(release.name, DAY)
        cost >> approve >> entered >> draw
        cost >> draw
    return dag


for declared in releases():
    globals()[f"release_{declared.name}"] = make(declared)

with DAG(
    dag_id="raise_budget",
    dag_display_name="Raise a privacy budget",
    description="Raise the cap of a privacy budget, by two people and for a reason",
    doc_md="""
### Raise a privacy budget
Start it with the budget, its new cap and the reason. Two different approvers of `budgets.toml` have to agree, each in
a task of their own; then the cap is raised and the decision entered in the ledger, with both names.

**`enter` is red**: its message says why the ledger did not accept the decision; nothing was changed.
**`first` or `second` is red**: the approver said no, or nobody answered in a week.

Owner: the data engineering team.
""",
    schedule=None,
    params={
        "block": Param("", type="string", minLength=3, title="Budget", description="As `veil budget show` names it."),
        "cap": Param(0.0, type="number", exclusiveMinimum=0, maximum=1000, title="New cap", description="In rho."),
        "reason": Param("", type="string", minLength=10, title="Reason", description="It is kept in the ledger."),
    },
    **COMMON,
) as raising:
    first, second = (
        waiting(
            which,
            "May the cap of {{ params.block }} rise to rho = {{ params.cap }}?",
            "Reason: {{ params.reason }}\n\nBoth tasks have to be answered, by two people.",
        )
        for which in ("first", "second")
    )

    @task(execution_timeout=MINUTES)  # type: ignore[untyped-decorator]
    def enter(ti: Any = None, run_id: str | None = None, params: Any = None) -> None:
        """Raise the cap and enter who decided it."""
        from airflow.sdk.exceptions import AirflowFailException

        from veil.control import Store
        from veil.errors import Refused
        from veil.ledger import raise_cap
        from veil.privacy.load import load_budgets
        from veil.privacy.mechanism import nano_rho
        from veil.settings import Settings

        settings = Settings.from_env()
        first_person, second_person = (answered_by(ti.xcom_pull(task_ids=which)) for which in ("first", "second"))
        if not {first_person, second_person} <= set(load_budgets(settings.config).approvers):
            raise AirflowFailException("A person who answered is none of the approvers of budgets.toml")
        cap = nano_rho(float(params["cap"]), up=False)
        try:
            raise_cap(
                Store(settings.control),
                params["block"],
                cap,
                (first_person, second_person),
                params["reason"],
                f"raise_budget/{run_id}",
            )
        except Refused as error:
            raise AirflowFailException(str(error)) from None

    first >> second >> enter()
