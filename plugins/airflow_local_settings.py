"""Read by every part of Airflow as it starts: where tasks are forks of the scheduler, it loads for all what each needs.

A task on two cores spent 5 to 7 CPU seconds on these imports, and a run has a dozen tasks.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

__all__: list[str] = []  # nothing here overrides a setting

if sys.argv[1:2] == ["scheduler"] and os.environ.get("AIRFLOW__CORE__EXECUTOR") == "LocalExecutor":
    # by name, since a statement whose module nobody uses here is what a linter removes
    for name in ("airflow.sdk", "deltalake", "great_expectations", "opendp.prelude", "pyspark.sql.connect.session"):
        import_module(name)
