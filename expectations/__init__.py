"""The gate: suites, custom expectations and the checkpoint that every candidate and every release has to pass."""
