"""Spark entry point: make one differentially private release and put it before its checkpoint."""

from __future__ import annotations

from expectations import checkpoint, suites
from veil import release as stage
from veil.control import Store
from veil.entry import Arguments, main
from veil.errors import Refused
from veil.policy.policy import load_site
from veil.privacy.spec import load_release
from veil.settings import Settings
from veil.stages import job

_KEYS = ["unit", "month", "category"]


def run(settings: Settings, store: Store, arguments: Arguments) -> None:
    """Draw and publish; the same declaration over the same records gives the same numbers and costs nothing."""
    file = settings.config / "releases" / f"{arguments.release}.toml"
    release = load_release(file)
    declared = [source.name for source in load_site(settings.config / "site.toml").sources]
    if release.spec.source not in declared:
        raise Refused(f"{file.name}: source is none of site.toml", f"Give one of: {', '.join(declared)}")
    with job(settings, store, "release", release.spec.name, arguments.run_key) as work:
        staged = stage.stage(work, release)
        suite = suites.releases.expectations(stage.NAMES, _KEYS, len(release.public_keys))
        name = f"release-{release.spec.name}"
        result = checkpoint.run(staged, name, suite, settings.home / "gx", by_row=False)
        work.figures["verdict"] = "blocked" if result.failed else "passed"
        if not result.failed:
            stage.publish(work, release, staged)
    if result.failed:
        raise Refused(
            f"The gate blocked {release.spec.name}: {', '.join(sorted(result.failed))}", "See docs/releases.md"
        )


if __name__ == "__main__":
    main(run)
