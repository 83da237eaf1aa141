"""Airflow's REST API, as far as starting and watching a run needs it: at once, where the CLI takes seconds."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veil.errors import VeilError

_SECONDS = 60


@dataclass(slots=True)
class Airflow:
    """A client of one Airflow. `url` is its address; the token is fetched at the first need."""

    url: str
    user: str
    password: str
    _token: str = ""

    def is_healthy(self) -> bool:
        """Tell whether scheduler, DAG processor, triggerer and database answer."""
        try:
            health = self._call("GET", "/api/v2/monitor/health", {}, token="")
        except VeilError:
            return False
        parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all(health.get(part, {}).get("status") == "healthy" for part in parts)

    def get(self, path: str) -> dict[str, Any]:
        """GET a path under ``/api/v2``."""
        return self._call("GET", f"/api/v2{path}", None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to a path under ``/api/v2``."""
        return self._call("POST", f"/api/v2{path}", body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None, token: str | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if token is None:
            headers["Authorization"] = f"Bearer {self._login()}"
        data = json.dumps(body).encode() if body and method != "GET" else None
        request = urllib.request.Request(f"{self.url}{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:
                return dict(json.loads(response.read() or b"{}"))
        except urllib.error.HTTPError as error:
            raise VeilError(f"Airflow answered {error.code} to {method} {path}", "See its log") from error
        except (OSError, ValueError) as error:
            raise VeilError(f"Airflow does not answer at {self.url}", "Is it up? Run `make up`") from error

    def _login(self) -> str:
        if not self._token:
            body = {"username": self.user, "password": self.password}
            answer = self._call("POST", "/auth/token", body, token="")
            self._token = str(answer["access_token"])
        return self._token
