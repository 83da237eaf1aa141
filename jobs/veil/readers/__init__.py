"""Readers turn the bytes of a drop into records: plain Python, the same for driver, worker and laptop."""
