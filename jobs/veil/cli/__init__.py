"""The command line."""

from __future__ import annotations

import os
import sys

import click

from veil.cli.anonymize import anonymize
from veil.cli.audit_dp import audit_dp
from veil.cli.budget import budget
from veil.cli.drop import drop
from veil.cli.evaluate import evaluate
from veil.cli.quarantine import quarantine
from veil.cli.release import release
from veil.cli.report import report
from veil.cli.secrets import secrets
from veil.cli.system import demo, down, init, jars, up
from veil.errors import VeilError


@click.group()
def veil() -> None:
    """Publish hospital data, record by record and in aggregate, without exposing a patient."""


for command in (
    init,
    up,
    down,
    demo,
    drop,
    report,
    release,
    audit_dp,
    quarantine,
    budget,
    anonymize,
    evaluate,
    jars,
    secrets,
):
    veil.add_command(command)


def main() -> None:
    """Run the command line; an error is one line that says what is wrong and one that says what to do."""
    os.umask(0o077)  # whatever is made here, or by what is started from here, is its owner's alone
    try:
        veil.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except VeilError as error:
        click.echo(f"{error.problem}\n{error.fix}".strip(), err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(
            f"{error.filename or 'A file'}: {error.strerror}\nCheck the path, its permissions and the disk", err=True
        )
        sys.exit(1)
