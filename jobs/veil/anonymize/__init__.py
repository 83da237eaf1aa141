"""Anonymize: from bronze to the staged candidate of one product and modality."""
