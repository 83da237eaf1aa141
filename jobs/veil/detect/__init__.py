"""The gate's detectors: they share nothing with the anonymizers and never trust them."""
