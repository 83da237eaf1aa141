"""The console: what a run did and what the privacy budgets have left, as two pages inside Airflow.

Every Airflow process imports this module, and only the API server shows pages: so the web framework, the template
engine and the control store are imported when the API server asks for the application, not before.
"""

from __future__ import annotations

import json
import shlex
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from veil.errors import VeilError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

    from veil.control import Store
    from veil.report import Report

PREFIX = "/veil"
PIPELINE = "pipeline"
SHOWN = 200
"""How many releases and refusals the ledger shows, newest first."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
}

_PAGES = Path(__file__).with_name("veil_console_pages")
# the browser resolves a view's address against the host, and Airflow may be served from a path below it
_BASE = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PREFIX


class UnknownRun(VeilError):
    """The control store holds nothing of this run."""


def report_page(dag: str, run: str) -> str:
    """Give the page of a run: records, what the gate stopped, releases, budgets, times, and what to do next.

    Raises
    ------
    UnknownRun
        When the run is not one of the pipeline, or has not planned its units yet.
    """
    from sqlalchemy import select

    from veil.control import registry, schema
    from veil.report import report

    # a run id is unique in its DAG only: two scheduled runs of one moment share it
    if dag != PIPELINE:
        raise UnknownRun(
            "Only runs of the DAG pipeline have a report",
            "Open this tab on a run of pipeline: a drop that lands, the schedule or a backfill starts one",
        )
    store = _open_store()
    if not registry.is_run(store, run):
        raise UnknownRun(
            "Nothing is known of this run",
            "If its task ingest has not ended yet, wait for it; otherwise compare the run id with those of pipeline",
        )
    made = report(store, run)
    query = select(schema.run.c.started, schema.run.c.finished).where(schema.run.c.run_key == run)
    with store.transaction() as connection:
        started, finished = connection.execute(query).one()
    return _render("report.html", report=made, started=started, finished=finished, steps=next_steps(made))


def ledger_page() -> str:
    """Give the page of the ledger: budgets, releases, refusals, and whether the chain of receipts is whole."""
    from sqlalchemy import func, select

    from veil import ledger
    from veil.control import receipts, schema

    store = _open_store()
    release, denial, receipt = schema.release.c, schema.denial.c, schema.receipt.c
    # the numbers drawn are in the same table: they leave through releases/, never through this page
    releases = select(release.name, release.state, release.cost_rho, release.blocks, release.at)
    denials = select(denial.name, denial.block_id, denial.cost_rho, denial.at)
    newest = select(receipt.seq, receipt.hash).order_by(receipt.seq.desc()).limit(1)
    with store.transaction() as connection:
        paid = connection.execute(releases.order_by(release.seq.desc()).limit(SHOWN)).all()
        refused = connection.execute(denials.order_by(denial.seq.desc()).limit(SHOWN)).all()
        paid_in_all = connection.scalar(select(func.count()).select_from(schema.release))
        refused_in_all = connection.scalar(select(func.count()).select_from(schema.denial))
        head = connection.execute(newest).first()
    return _render(
        "ledger.html",
        blocks=ledger.blocks(store),
        releases=[{**row._asdict(), "blocks": json.loads(row.blocks)} for row in paid],
        releases_in_all=paid_in_all,
        denials=refused,
        denials_in_all=refused_in_all,
        head=head,
        broken=receipts.verify(store),
    )


def next_steps(report: Report) -> list[tuple[str, str]]:
    """List what a person does next: in words, and as a command line."""
    steps = [
        (f"See which rows of {modality} the gate stopped", f"veil quarantine list --stage audit --modality {modality}")
        for modality in sorted({modality for _product, modality, _rule, _count in report.blocked})
    ]
    if steps:
        steps += [
            ("Withhold such a row and publish the others with the next run", "veil quarantine exclude ITEM"),
            ("Or mend the policy and have the unit tried again", "veil quarantine retry ITEM"),
        ]
    elif any(line.quarantined for line in report.lines):
        steps += [
            ("See what went to quarantine and why", "veil quarantine list"),
            ("Have an item tried again once its cause is mended", "veil quarantine retry ITEM"),
        ]
    if report.refused_drops:
        steps.append(("Mend a refused drop as its reason says, and land it again", "veil drop PATH --source SOURCE"))
    return [*steps, ("Read this report on a terminal", f"veil report {shlex.quote(report.run)}")]


def console() -> FastAPI:
    """Make the application: every route of it asks Airflow who the reader is and whether they may see plugins."""
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
    from airflow.api_fastapi.core_api.security import requires_access_view
    from fastapi import Depends, FastAPI
    from fastapi.responses import HTMLResponse

    # an application that Airflow mounts inherits none of its guards
    app = FastAPI(
        dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        default_response_class=HTMLResponse,
    )

    # plain functions, so that a slow control store holds up a thread of its own and not the whole API server
    @app.get("/report")
    def show_report(run: str = "", dag: str = PIPELINE) -> str:
        return report_page(dag, run)

    @app.get("/ledger")
    def show_ledger() -> str:
        return ledger_page()

    @app.exception_handler(VeilError)
    def show_problem(_request: Request, error: VeilError) -> Response:
        status = 404 if isinstance(error, UnknownRun) else 503
        return HTMLResponse(_render("problem.html", problem=error.problem, fix=error.fix), status)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    return app


class VeilConsole(AirflowPlugin):  # type: ignore[misc]
    """The tab *Veil report* of a run and the entry *Privacy ledger* of the menu."""

    name = "veil_console"
    external_views = [  # noqa: RUF012 - the type is Airflow's, which makes one instance
        {
            "name": "Veil report",
            "href": f"{_BASE}/report?dag={{DAG_ID}}&run={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "veil_report",
        },
        {
            "name": "Privacy ledger",
            "href": f"{_BASE}/ledger",
            "destination": "nav",
            "category": "browse",
            "url_route": "veil_ledger",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The application; only the API server asks for it."""
        return [{"app": console(), "url_prefix": PREFIX, "name": "Veil"}]


def _open_store() -> Store:
    """Open the control store to read it; where there is none, say so instead of making an empty one.

    Raises
    ------
    VeilError
        When there is none, or it cannot be opened.
    """
    from sqlalchemy.engine import make_url

    from veil.control import Store
    from veil.settings import Settings

    url = make_url(Settings.from_env().control)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise VeilError(
            "There is no control store yet",
            "Land a drop with `veil drop`; if drops have landed, start Airflow's API server with the same VEIL_HOME "
            "and VEIL_CONTROL as its tasks",
        )
    return Store(Settings.from_env().control)


def _render(page: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(page).render(values)
