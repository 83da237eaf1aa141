"""The median of three runs after a warm-up, as the benchmark times Veil itself."""

import statistics
import time


def report(run):
    """Print the median in seconds."""
    run()
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        run()
        seconds.append(time.monotonic() - began)
    print(statistics.median(seconds))
