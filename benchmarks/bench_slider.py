"""From an arrow key on a slider to repainted bars in Chromium: the Sampling page against the plain page, side by side."""

from __future__ import annotations

from benchmarks.browser import chromium, median, open_clocked, server, slider_times_in_turns

ROUNDS, MOVES = 4, 10


def run() -> dict[str, float]:
    """Medians in ms and their ratios. Rounds alternate between the pages, so that a slow minute hits all.

    A move within the scale repaints the pictures; one from or to the neutral value also the slider's mark, "on" or "off", and
    the line about the chain.
    """
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        pages = {
            "plain page": open_clocked(browser, plain_url),
            "Sampling page": open_clocked(browser, f"{app_url}/?temperature=0.8"),
            "Sampling page from and to neutral": open_clocked(browser, app_url),
        }
        times = slider_times_in_turns(pages, ROUNDS, MOVES)
    medians = {name: median(values) for name, values in times.items()}
    plain = medians.pop("plain page")
    return {
        "plain page, slider to paint, ms": plain,
        **{f"{name}, slider to paint, ms": value for name, value in medians.items()},
        **{f"{name} / plain page": value / plain for name, value in medians.items()},
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:40} {value:8.2f}")
