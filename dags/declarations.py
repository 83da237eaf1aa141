"""Shows as import errors, at the top of the Airflow UI, what is wrong with the declarations of releases.

A declaration that is wrong has no DAG, and takes no other DAG with it. This file fails in their place.
"""

from __future__ import annotations

from catalog import problems

if found := problems():
    raise ValueError("\n".join(["Releases that are not made:", *found]))
