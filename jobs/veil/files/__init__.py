"""The anonymizers on a folder of files, without Spark and Airflow: on a laptop, or at the edge of a network."""

from .known import Known, read_known
from .run import anonymize_folder, policy_of
from .summary import Summary

__all__ = ["Known", "Summary", "anonymize_folder", "policy_of", "read_known"]
