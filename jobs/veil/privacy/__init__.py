"""Differential privacy: Spark bounds contributions, OpenDP draws the noise, the ledger is paid first."""
