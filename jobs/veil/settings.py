"""Where one installation keeps its things, read from the environment once per process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "VEIL_"


@dataclass(frozen=True, slots=True)
class Settings:
    """The places of one installation.

    `lake` is the root of the zones, `control` the SQLAlchemy URL of the control store, `key_file` holds the zone
    key that wraps every subject's secret, `config` is the folder of site, product and release files.
    """

    home: Path
    lake: Path
    control: str
    key_file: Path
    config: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read ``VEIL_HOME``, ``VEIL_LAKE``, ``VEIL_CONTROL``, ``VEIL_KEY_FILE`` and ``VEIL_CONFIG``.

        Only ``VEIL_HOME`` is needed (default ``.veil`` in the working directory): the others default to places
        inside it, and the configuration to ``dags/config`` in the working directory.
        """
        env = os.environ if environ is None else environ
        home = Path(env.get(f"{_PREFIX}HOME", ".veil")).resolve()
        return cls(
            home=home,
            lake=Path(env.get(f"{_PREFIX}LAKE", str(home / "lake"))),
            control=env.get(f"{_PREFIX}CONTROL", f"sqlite:///{home / 'control.db'}"),
            key_file=Path(env.get(f"{_PREFIX}KEY_FILE", str(home / "keys" / "zone.key"))),
            config=Path(env.get(f"{_PREFIX}CONFIG", "dags/config")).resolve(),
        )

    def to_env(self) -> dict[str, str]:
        """Give the variables from which another process reads the same settings."""
        return {
            f"{_PREFIX}HOME": str(self.home),
            f"{_PREFIX}LAKE": str(self.lake),
            f"{_PREFIX}CONTROL": self.control,
            f"{_PREFIX}KEY_FILE": str(self.key_file),
            f"{_PREFIX}CONFIG": str(self.config),
        }
