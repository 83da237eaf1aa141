"""When a release is made: cron in five fields, UTC, and what it has to be for a release by windows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from veil.privacy import calendars

_FROM = datetime(2023, 12, 31, 23, 59, tzinfo=UTC)
"""A year with a leap day, and of 52 and 53 weeks, follows."""
_YEARS = 3


def problem(schedule: str, window: str | None) -> str:
    """Say what is wrong with a schedule; "" where nothing is.

    The window of a run is that of the tick before it, so it has to be over, and the next one has to be the next
    window.
    """
    try:
        ticks = croniter(schedule, _FROM, ret_type=datetime) if len(schedule.split()) == 5 else None
        if ticks is None or window is None:
            return "" if ticks and ticks.get_next() else _HOW
        whole = itertools.takewhile(lambda tick: tick.year < _FROM.year + 1 + _YEARS, ticks)
        return _of_windows((calendars.period_of(window, tick.date()) for tick in whole), window)
    except CroniterBadCronError:
        return _HOW
    except CroniterBadDateError:
        return "it never ticks: there is no such day"


def _of_windows(windows: Iterator[str], window: str) -> str:
    """Compare each with the one before, and stop at the first that is wrong: there may be one a minute."""
    number = 1
    for before, after in itertools.pairwise(windows):
        number += 1
        if before == after:
            return f"it ticks twice in one {window}, and the first time the {window} is not over"
        if calendars.next_period(window, before) != after:
            return f"it leaves out a {window}"
    return "" if number >= _YEARS else f"it leaves out a {window}"


_HOW = "it is no cron expression of five fields, such as 0 6 2 * *"
