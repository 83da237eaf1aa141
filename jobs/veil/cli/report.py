"""`veil report`: what a run did."""

from __future__ import annotations

import click

from veil.errors import VeilError


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def report(run: str | None, as_json: bool) -> None:
    """Print the report of RUN, an Airflow run id; of the newest run if none is given."""
    from veil.control import Store, registry
    from veil.printing import as_text
    from veil.report import report as compose
    from veil.settings import Settings

    settings = Settings.from_env()
    store = Store(settings.control)
    run = run or registry.last_run(store)
    if run is None:
        raise VeilError(
            f"Nothing has run yet in {settings.home}",
            "Is VEIL_HOME the right folder, has a drop landed (`veil drop`), and does Airflow run (`make up`)?",
        )
    if not registry.is_run(store, run):
        raise VeilError(f"There is no such run in {settings.home}", "Look the run's id up in Airflow")
    made = compose(store, run)
    click.echo(made.to_json() if as_json else as_text(made))
