"""How every job is started: the same arguments, settings from the environment, and errors that a person can read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veil.control import Store
from veil.errors import Refused, VeilError
from veil.policy import Policy, load_policy
from veil.settings import Settings

EXIT_FAILED = 1
EXIT_REFUSED = 3
"""A refusal is a decision: trying again without a change gives the same answer."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a job is told: ids and names alone, never a value from the data."""

    run_key: str
    product: str = ""
    modality: str = ""
    release: str = ""
    date: str = ""

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Arguments:
        """Read ``--run-key``, ``--product``, ``--modality``, ``--release`` and ``--date``."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--run-key", required=True)
        for name in ("product", "modality", "release", "date"):
            parser.add_argument(f"--{name}", default="")
        return cls(**vars(parser.parse_args(argv)))

    def policy(self, settings: Settings) -> Policy:
        """Load the policy of the product that the job works for."""
        return load_policy(settings.config / "products" / f"{self.product}.toml", settings.config / "site.toml")


def main(run: Callable[[Settings, Store, Arguments], None]) -> None:
    """Run a job under spark-submit or from a shell, and exit 0, 1 (failed) or 3 (refused)."""
    settings = Settings.from_env()
    try:
        run(settings, Store(settings.control), Arguments.parse(sys.argv[1:]))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_REFUSED) from None
    except VeilError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_FAILED) from None
