"""The report on a terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from veil.report import Report

_WIDTH = 110


def as_text(report: Report) -> str:
    """Lay the report out for a terminal of 110 columns."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=_WIDTH, no_color=True, highlight=False)
    console.print(f"Run {report.run}", soft_wrap=True)
    console.print(_records(report))
    if report.blocked:
        console.print(_blocked(report))
    for reason in report.refused_drops:
        console.print(f"Refused drop: {reason}")
    if report.releases:
        console.print(_releases(report))
    for budget in report.budgets:
        console.print(
            f"Budget {budget['block']} ({budget['privacy_unit']}): "
            f"rho {budget['rho_spent']:.3f} spent, {budget['rho_left']:.3f} left"
        )
    for place in report.leaks or []:
        console.print(f"LEAK: the closing scan found an identifier in {place}")
    if report.leaks is None:
        console.print("Closing scan: not done yet")
    elif not report.leaks:
        console.print("Closing scan: no known identifier outside the restricted zone")
    took = ", ".join(f"{stage} {seconds} s" for stage, seconds in report.seconds.items())
    console.print(f"Time by stage: {took}")
    return buffer.getvalue()


def _records(report: Report) -> Table:
    table = Table(title="Records", title_justify="left")
    for name in ("modality", "product"):
        table.add_column(name)
    for name in ("in", "published", "held", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("gate")
    for line in report.lines:
        figures = (line.came_in, line.published, line.held, line.quarantined)
        table.add_row(line.modality, line.product or "(none: held)", *map(str, figures), line.verdict)
    return table


def _blocked(report: Report) -> Table:
    table = Table(title="Blocked by the gate", title_justify="left")
    for name in ("product", "modality", "rule"):
        table.add_column(name)
    table.add_column("rows", justify="right")
    for product, modality, rule, count in report.blocked:
        table.add_row(product, modality, rule, str(count))
    return table


def _releases(report: Report) -> Table:
    table = Table(title="Differentially private releases", title_justify="left")
    for name in ("release", "gate", "privacy unit", "numbers", "epsilon", "delta"):
        table.add_column(name)
    for release in report.releases:
        names = ("name", "verdict", "privacy_unit", "rows", "epsilon", "delta")
        table.add_row(*(str(release.get(name, "")) for name in names))
    return table
