"""Records: FHIR resources and rows of CSV tables, anonymized by the plan of a policy."""

from veil.transforms.records.fhir import FhirAnonymizer
from veil.transforms.records.rows import anonymize_row

__all__ = ["FhirAnonymizer", "anonymize_row"]
