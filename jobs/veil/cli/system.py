"""`veil init`, `up`, `down`, `demo`, `jars`: an embedded installation on one machine."""

from __future__ import annotations

import sys

import click

from veil.errors import VeilError
from veil.settings import Settings


@click.command()
def init() -> None:
    """Draw the keys and passwords of an installation that has none."""
    from veil.embedded.places import open_home

    home = open_home(Settings.from_env())
    click.echo(f"Keys are in {home.settings.key_file.parent}. Back them up: without the zone key every link is lost.")


@click.command()
def up() -> None:
    """Start Airflow and Spark, and leave them running."""
    from veil.embedded import stack
    from veil.embedded.places import open_home

    home = open_home(Settings.from_env())
    stack.start(home, click.echo)
    click.echo(f"Airflow: {home.airflow_url}  user admin, password in {home.airflow_home / 'passwords.json'}")
    click.echo("Stop it with `make down`")


@click.command()
def down() -> None:
    """Stop what `veil up` or `veil demo` started here, and nothing else."""
    from veil.embedded import stack
    from veil.embedded.places import open_home

    stack.stop(open_home(Settings.from_env()), click.echo)


@click.command()
@click.option("--patients", type=click.IntRange(10, 100_000), default=200, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--keep", is_flag=True, help="Leave Airflow and Spark running.")
def demo(patients: int, seed: int, keep: bool) -> None:
    """Take one generated drop from landing to publication and release, with a leak that only the gate can catch."""
    from veil.embedded import demo as demonstration
    from veil.embedded import stack
    from veil.embedded.places import open_home

    home = open_home(Settings.from_env())
    if stack.is_running(home):
        raise VeilError(
            "Airflow runs here already", "Run `make down` first: the demo starts from an empty installation"
        )
    try:
        as_expected = demonstration.run(home, patients, seed, click.echo)
    finally:
        if not keep:
            stack.stop(home, click.echo)
    if not as_expected:
        raise VeilError("The demo did not end as it should", "Read the table above and the run in Airflow (`make up`)")
    click.echo("The gate blocked the planted leak, and nothing of the notes was published. Where to look next:")
    click.echo(f"  published data    {home.settings.lake / 'published'}")
    click.echo(f"  released numbers  {home.settings.lake / 'releases'}")
    click.echo("  the blocked row   make veil ARGS='quarantine list --stage audit'")
    click.echo("  the run in a UI   make up")


@click.command()
def jars() -> None:
    """Fetch Delta's jars into the project's cache and verify them."""
    from veil.jars import fetch

    for jar in fetch():
        click.echo(jar.name)
    sys.stdout.flush()
