"""Spark entry point: make one differentially private release and put it before its checkpoint."""

from __future__ import annotations

from datetime import UTC, date, datetime

from expectations import checkpoint, suites
from veil import release as stage
from veil.control import Store
from veil.entry import Arguments, main
from veil.errors import Refused, VeilError
from veil.policy.policy import load_site
from veil.privacy import calendars
from veil.privacy.load import Release, load_budget, load_release
from veil.settings import Settings
from veil.stages import job


def run(settings: Settings, store: Store, arguments: Arguments) -> None:
    """Draw and publish; the same declaration over the same records gives the same numbers and costs nothing."""
    file = settings.config / "releases" / f"{arguments.release}.toml"
    release = _for_window(load_release(file), arguments.date)
    declared = [source.name for source in load_site(settings.config / "site.toml").sources]
    if release.spec.source not in declared:
        raise Refused(f"{file.name}: source is none of site.toml", f"Give one of: {', '.join(declared)}")
    budget = load_budget(settings.config, release)
    unit = "/".join(part for part in (release.spec.name, release.window) if part)
    with job(settings, store, "release", unit, arguments.run_key) as work:
        staged = stage.stage(work, release, budget, int(arguments.redraw or 0))
        suite = suites.releases.expectations(stage.contents(release))
        name = f"release-{unit.replace('/', '-')}"
        result = checkpoint.run(stage.with_state(staged), name, suite, settings.home / "gx", by_row=False)
        work.figures["verdict"] = "blocked" if result.failed else "passed"
        if not result.failed:
            stage.publish(work, release, staged)
    if result.failed:
        raise Refused(
            f"The gate blocked {release.spec.name}: {', '.join(sorted(result.failed))}", "See docs/releases.md"
        )


def _for_window(release: Release, day: str) -> Release:
    window = release.spec.window
    if window is None:
        return release
    if not day:
        raise VeilError(f"{release.spec.name} is released by {window}", "Give the date of a day in it")
    found = release.of(date.fromisoformat(day))
    if calendars.first_day(window, calendars.next_period(window, found.period)) > datetime.now(UTC).date():
        raise Refused(f"{found.period} is not over yet", "Run it once it is: a part of it would be paid for twice")
    return found


if __name__ == "__main__":
    main(run)
