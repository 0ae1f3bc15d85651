"""Ten sessions on one server, each moving a slider once a second, against one session alone.

Measured at the server's own socket (see ``room.py``): from the slider's message to the end of the script run. Thirty, and
what they leave behind, are ``bench_room``'s.
"""

from __future__ import annotations

from benchmarks.browser import median, percentile, server
from benchmarks.room import measure

SESSIONS, MOVES = 10, 15


def run() -> dict[str, float]:
    """Median and 95th percentile of ten sessions, as multiples of one session's median."""
    with server("app.py") as url:
        measure(url, 1, 3)
        one = measure(url, 1, MOVES)
        ten = measure(url, SESSIONS, MOVES)
    return {
        "one session, median ms": median(one),
        "ten sessions, median ms": median(ten),
        "ten sessions' median / one session's": median(ten) / median(one),
        "ten sessions' 95th percentile / one session's median": percentile(ten, 0.95) / median(one),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:55} {value:8.2f}")
