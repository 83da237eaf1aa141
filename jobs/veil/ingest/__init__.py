"""Ingest: from landed drops to bronze, the vault and the quarantine."""
