"""Anonymizers: pure functions over records, text and bytes."""
