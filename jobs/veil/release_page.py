"""The page of a release: numbers with their intervals, what they cost, and what that means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from veil.privacy.calendars import periods
from veil.privacy.load import Release
from veil.privacy.statement import in_words

_TEMPLATES = Path(__file__).parent / "pages"
_WIDTH, _HEIGHT, _EDGE = 320, 110, 30
_MOST_PLOTS = 60
_MOST_BARS = 80

Row = Mapping[str, Any]


def page(release: Release, told: Mapping[str, Any], rows: Sequence[Row], paid: Sequence[Mapping[str, Any]]) -> str:
    """Give the page as HTML: no script, no address of anything else, and the same bytes for the same numbers."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return pages.get_template("release.html").render(
        told=told,
        words=in_words(dict(told)),
        charts=_charts(release, rows),
        rows=rows,
        keys=release.spec.key_columns,
        budgets=[{**block, "share": min(100.0, 100 * block["spent"] / block["cap"])} for block in paid if block["cap"]],
    )


def _charts(release: Release, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give charts: for each statistic, lines over the calendar where there is one, else dots with whiskers."""
    calendar = next((name for name, keys in release.spec.keys.items() if keys.first is not None), None)
    columns = release.spec.key_columns
    by_statistic: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_statistic.setdefault((row["query"], row["statistic"]), []).append(row)
    charts: list[dict[str, Any]] = []
    for (query, statistic), listed in by_statistic.items():
        shown = [row for row in listed if not row["suppressed"]]
        title = query if query == statistic else f"{query}: {statistic}"
        if calendar is not None and any(row.get(calendar) for row in shown):
            keys = release.spec.keys[calendar]
            form = release.spec.columns[calendar].form
            order = periods(form, str(keys.first), int(keys.count or 0))
            charts.append({"title": title, "plots": _lines(columns, calendar, order, shown), "dots": None})
        else:
            charts.append({"title": title, "plots": [], "dots": _dots(columns, shown)})
    return charts


def _lines(columns: list[str], calendar: str, order: list[str], rows: list[Row]) -> list[dict[str, Any]]:
    """Give small plots of one scale, one for each combination of the other keys."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row[calendar] is not None:
            groups.setdefault(_label(row, [name for name in columns if name != calendar]), []).append(row)
    least = min((row["low_95"] for row in rows), default=0.0)
    most = max((row["high_95"] for row in rows), default=1.0)
    place = {period: number for number, period in enumerate(order)}
    plots = []
    for label, listed in list(groups.items())[:_MOST_PLOTS]:
        points = sorted((place[row[calendar]], row) for row in listed if row[calendar] in place)
        across = [_EDGE + (_WIDTH - _EDGE - 8) * at / max(1, len(order) - 1) for at, _ in points]
        upper = [(x, _down(row["high_95"], least, most)) for x, (_, row) in zip(across, points, strict=True)]
        lower = [(x, _down(row["low_95"], least, most)) for x, (_, row) in zip(across, points, strict=True)]
        middle = [(x, _down(row["value"], least, most)) for x, (_, row) in zip(across, points, strict=True)]
        plots.append(
            {
                "label": label or "all",
                "band": _path([*upper, *reversed(lower)]),
                "line": _path(middle),
                "zero": round(_down(0.0, least, most), 1) if least <= 0 <= most else None,
                "least": f"{least:g}",
                "most": f"{most:g}",
                "first": order[0],
                "last": order[-1],
                "width": _WIDTH,
                "height": _HEIGHT,
            }
        )
    return plots


def _dots(columns: list[str], rows: list[Row]) -> dict[str, Any]:
    shown = rows[:_MOST_BARS]
    least = min((row["low_95"] for row in shown), default=0.0)
    most = max((row["high_95"] for row in shown), default=1.0)
    span = (most - least) or 1.0

    def across(value: float) -> float:
        return round(220 + 380 * (value - least) / span, 1)

    return {
        "height": 18 * len(shown) + 24,
        "least": f"{least:g}",
        "most": f"{most:g}",
        "rows": [
            {
                "y": 18 * number + 14,
                "label": (_label(row, columns) or "all")[:34],
                "low": across(row["low_95"]),
                "at": across(row["value"]),
                "high": across(row["high_95"]),
            }
            for number, row in enumerate(shown)
        ],
        "left_out": len(rows) - len(shown),
    }


def _label(row: Row, columns: Sequence[str]) -> str:
    keys = [str(row[name]) for name in columns if row[name] is not None]
    return " · ".join([*keys, *([row["bin"]] if row["bin"] else [])])


def _down(value: float, least: float, most: float) -> float:
    return 8 + (_HEIGHT - 28) * (most - value) / ((most - least) or 1.0)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
