"""The operator that runs a Veil job wherever its Spark connection points."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.hooks.spark_connect import SparkConnectHook
from airflow.sdk import BaseHook, BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

JOBS = Path(os.environ.get("VEIL_JOBS", Path(__file__).resolve().parents[1] / "jobs"))
"""Where the entry points are: beside this folder, or ``VEIL_JOBS``."""


class VeilJobOperator(BaseOperator):  # type: ignore[misc]
    """Run ``jobs/<job>.py``.

    A connection of type *Spark Connect* runs the thin client in the task's own process, on the shared server. Any
    other (type *Spark*: ``spark://``, ``yarn``, ``k8s://``, ``local``) goes through spark-submit. The DAG is the same.

    Parameters
    ----------
    job
        Name of the entry point.
    arguments
        What the job is told, by argument name: ids and names alone. A value may be a template.
    conn_id
        The Spark connection.
    """

    template_fields: Sequence[str] = ("arguments",)
    ui_color = "#e8f4f0"

    def __init__(self, *, job: str, arguments: Mapping[str, str], conn_id: str = "veil_spark", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.arguments = dict(arguments)
        self.conn_id = conn_id
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> None:
        """Run the job; a refusal fails the task at once, since trying again would give the same answer."""
        from veil.entry import EXIT_NOTHING, EXIT_REFUSED

        if BaseHook.get_connection(self.conn_id).conn_type == "spark_connect":
            code, message = self._run_here()
        else:
            code, message = self._submit()
        if code == EXIT_NOTHING:
            raise AirflowSkipException(message)
        if code == EXIT_REFUSED:
            raise AirflowFailException(message)
        if code:
            raise AirflowException(message)
        self.log.info(message)

    def on_kill(self) -> None:
        """End spark-submit and everything that it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)

    def _run_here(self) -> tuple[int, str]:
        from veil.entry import Arguments, guarded
        from veil.session import REMOTE

        os.environ[REMOTE] = SparkConnectHook(self.conn_id).get_connection_url()
        spec = importlib.util.spec_from_file_location(f"veil_job_{self.job}", JOBS / f"{self.job}.py")
        if spec is None or spec.loader is None:
            raise AirflowFailException(f"There is no job {self.job} in {JOBS}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return guarded(self.job, module.run, Arguments(**self.arguments))

    def _submit(self) -> tuple[int, str]:
        from veil.submit import driver_log, submit_command, submit_environment

        connection = BaseHook.get_connection(self.conn_id)
        master = connection.host or "local[*]"
        if connection.port:
            master = f"{master}:{connection.port}"
        command = submit_command(master, JOBS / f"{self.job}.py", self.arguments, connection.extra_dejson)
        with driver_log(self.job).open("ab") as log:  # it may quote the data, so it is not the task's log
            self._process = subprocess.Popen(
                command, env=submit_environment(), stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
            output, _ = self._process.communicate()
        return self._process.returncode, output.strip() or f"spark-submit ended with {self._process.returncode}"
