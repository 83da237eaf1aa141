"""How every job is started: the same arguments, settings from the environment, and errors that a person can read."""

from __future__ import annotations

import argparse
import secrets
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sqlalchemy.exc import DatabaseError

from veil.control import Store
from veil.errors import Nothing, Refused, VeilError
from veil.lake import RESTRICTED
from veil.policy import Policy, load_policy
from veil.settings import Settings

EXIT_FAILED = 1
EXIT_REFUSED = 3
"""A refusal is a decision: trying again without a change gives the same answer."""
EXIT_NOTHING = 4


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a job is told: ids and names alone, never a value from the data."""

    run_key: str
    product: str = ""
    modality: str = ""
    release: str = ""
    date: str = ""
    redraw: str = ""

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Arguments:
        """Read ``--run-key``, ``--product``, ``--modality``, ``--release``, ``--date`` and ``--redraw``."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--run-key", required=True)
        for name in ("product", "modality", "release", "date", "redraw"):
            parser.add_argument(f"--{name}", default="")
        return cls(**vars(parser.parse_args(argv)))

    def policy(self, settings: Settings) -> Policy:
        """Load the policy of the product that the job works for."""
        return load_policy(settings.config / "products" / f"{self.product}.toml", settings.config / "site.toml")


def guarded(job: str, run: Run, arguments: Arguments) -> tuple[int, str]:
    """Run a job and give its exit code and one message that is safe to show.

    Spark's exceptions may quote the data, so an unforeseen one is only named; its text goes to the restricted zone.
    """
    settings = Settings.from_env()
    try:
        run(settings, Store(settings.control), arguments)
    except Nothing as error:
        return EXIT_NOTHING, str(error)
    except Refused as error:
        return EXIT_REFUSED, str(error)
    except VeilError as error:
        return EXIT_FAILED, str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach a log
        return EXIT_FAILED, _unforeseen(settings, job, error)
    return 0, f"{job} done"


def main(run: Run) -> NoReturn:
    """Run a job under spark-submit or from a shell, and exit 0, 1 (failed), 3 (refused) or 4 (nothing to do)."""
    code, message = guarded(Path(sys.argv[0]).stem, run, Arguments.parse(sys.argv[1:]))
    sys.stdout.write(f"{message}\n")
    raise SystemExit(code)


def _unforeseen(settings: Settings, job: str, error: Exception) -> str:
    condition = _condition(error)
    name = f"{job}-{secrets.token_hex(4)}.txt"
    folder = settings.lake / RESTRICTED / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(traceback.format_exception(error))
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except Exception as problem:  # noqa: BLE001 - whatever it is would show the first error beside itself
        told = getattr(problem, "strerror", None) or type(problem).__name__
        return f"{job} failed ({condition}), and the lake cannot be written: {told}"
    return f"{job} failed ({condition}). The details are in restricted/logs/{name}: they may quote the data"


_STORAGE = {
    "Permission denied": "let the user that Spark runs as write in all of VEIL_LAKE",
    "AccessDeniedException": "let the user that Spark runs as write in all of VEIL_LAKE",
    "Read-only file system": "mount the volume of VEIL_LAKE for writing",
    "No space left on device": "free some space on the volume of VEIL_LAKE, or that of temporary files",
}
"""What a file system says, as the JVM repeats it, and what to do about it."""
_CONTROL = {
    "database or disk is full": "free some space on its volume",
    "No space left on device": "free some space on its volume",
    "disk I/O error": "check its volume: full, broken, or no local disk",
    "readonly database": "let the user that the jobs run as write its file and folder",
}
"""What SQLite and Postgres say, and what to do about it."""


def _condition(error: Exception) -> str:
    what, signs = ("control store", _CONTROL) if isinstance(error, DatabaseError) else ("lake", _STORAGE)
    told = str(error)
    for sign, fix in signs.items():
        if sign in told:
            return f"the {what} cannot be written, {sign}: {fix}"
    return str(getattr(error, "getCondition", lambda: None)() or type(error).__name__)


Run = Callable[[Settings, Store, Arguments], None]
