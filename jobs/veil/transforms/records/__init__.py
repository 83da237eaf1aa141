"""Records: FHIR resources and rows of CSV tables, anonymized by the plan of a policy."""

from veil.transforms.records.fhir import anonymize_fhir
from veil.transforms.records.rows import anonymize_row

__all__ = ["anonymize_fhir", "anonymize_row"]
