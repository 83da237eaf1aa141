"""`veil secrets`: the secrets of a deployment, freshly drawn."""

from __future__ import annotations

import base64
from secrets import token_bytes, token_urlsafe

import click

_ENTROPY_BYTES = 32
_DRAWN = (
    "POSTGRES_PASSWORD",
    "AIRFLOW_DB_PASSWORD",
    "CONTROL_DB_PASSWORD",
    "AIRFLOW_API_SECRET",
    "AIRFLOW_ADMIN_PASSWORD",
    "SPARK_AUTH_SECRET",
)
_JWT_BYTES = 64
"""HS512, with which Airflow signs its tokens, wants a key as long as its hash (RFC 7518, 3.2)."""


def draw() -> dict[str, str]:
    """Draw every secret that ``docker-compose.yml`` asks for, by its name, of characters that are safe in a URL."""
    return {
        **{name: token_urlsafe(_ENTROPY_BYTES) for name in _DRAWN},
        "AIRFLOW_JWT_SECRET": token_urlsafe(_JWT_BYTES),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(token_bytes(_ENTROPY_BYTES)).decode(),
    }


@click.command("secrets")
def secrets() -> None:
    """Print freshly drawn secrets for docker compose: `veil secrets > .env`, once."""
    for name, value in draw().items():
        click.echo(f"{name}={value}")
