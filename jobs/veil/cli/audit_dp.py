"""`veil audit-dp`: tries to prove a release's claims of privacy wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from veil.errors import VeilError


@click.command("audit-dp")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--pairs", type=click.IntRange(4, 1_000_000), default=2_000, show_default=True, help="Data sets to bound."
)
@click.option("--draws", type=click.IntRange(1_000, 10_000_000), default=100_000, show_default=True)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="A day of the window, for a release by windows.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def audit_dp(file: Path, pairs: int, draws: int, day: date | None, as_json: bool) -> None:
    """Audit the release FILE: what one patient changes after bounding, and what the noise gives away.

    Made-up neighbouring data sets go through the same code as the records; the lake is not read. Exit 1 if a claim
    does not hold.
    """
    from veil.privacy.audit import audit
    from veil.privacy.load import load_release
    from veil.session import open_session

    release = load_release(file)
    if release.spec.window is not None:
        if day is None:
            raise VeilError(f"{file.name} is released by {release.spec.window}", "Give --date, a day of the window")
        release = release.of(day)
    checks = audit(open_session("veil audit-dp"), release, pairs, draws)
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks]))
    else:
        click.echo(f"{'check':<34} {'of':<28} {'claimed':>12} {'found':>12}")
        for check in checks:
            mark = "" if check.holds else "  DOES NOT HOLD"
            click.echo(f"{check.name:<34} {check.subject[:28]:<28} {check.claimed:>12.5g} {check.found:>12.5g}{mark}")
    broken = [check for check in checks if not check.holds]
    if broken:
        raise VeilError(
            f"{len(broken)} claims of {release.spec.name} do not hold", "Release nothing; this is a defect: report it"
        )
