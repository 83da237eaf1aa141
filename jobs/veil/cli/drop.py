"""`veil drop`: bring a delivered folder into the landing zone."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from uuid import uuid4

import click

from veil.errors import VeilError
from veil.lake import RESTRICTED
from veil.policy.policy import load_site
from veil.policy.tables import load_role_file
from veil.readers.landing import land
from veil.readers.manifest import MANIFEST, Manifest, build_manifest, read_manifest
from veil.settings import Settings


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="The sending system, as the site's configuration names it.")
@click.option("--landing", type=click.Path(path_type=Path), help="Landing zone; by default that of VEIL_LAKE.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def drop(path: Path, source: str, landing: Path | None, as_json: bool) -> None:
    """Land the folder PATH as one drop; its manifest is written when it has none."""
    settings = Settings.from_env()
    try:
        _require_source(source, settings.config / "site.toml")
        manifest = _manifest(path, source)
        doubtful = {problem.position for problem in manifest.problems}
        for number, entry in enumerate(manifest.files):
            if entry.format == "role-file" and number not in doubtful:
                load_role_file(path / entry.path)
        zone = landing or settings.lake / RESTRICTED / "landing"
        landed = land(path, manifest, zone, drop_id=uuid4().hex)
    except VeilError as error:
        if as_json:
            click.echo(json.dumps({"problem": error.problem, "fix": error.fix}))
        else:
            click.echo(f"{error.problem}\n{error.fix}".strip(), err=True)
        sys.exit(1)
    counts = Counter(entry.modality for entry in manifest.files)
    if as_json:
        report = {"drop": landed.name, "source": source, "files": dict(sorted(counts.items()))}
        click.echo(json.dumps({**report, "problems": len(manifest.problems)}))
        return
    click.echo(f"drop {landed.name} from {source}, landed in {landed.parent}")
    for modality, count in sorted(counts.items()):
        click.echo(f"{count:>8}  {modality}")
    if manifest.problems:
        click.echo(f"{len(manifest.problems):>8}  missing or changed: they go to quarantine")


def _require_source(source: str, site: Path) -> None:
    declared = [each.name for each in load_site(site).sources]
    if source not in declared:
        raise VeilError(f"{source} is no source of {site}", f"Declare it there, or give one of: {', '.join(declared)}")


def _manifest(path: Path, source: str) -> Manifest:
    from veil.modalities import recognisers

    if not (path / MANIFEST).is_file():
        return build_manifest(path, source, recognisers())
    manifest = read_manifest(path / MANIFEST)
    if manifest.source != source:
        raise VeilError("The manifest names another source", "Give the source that the manifest names.")
    return manifest
