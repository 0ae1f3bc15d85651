"""From an arrow key on a slider to repainted bars in Chromium: the Sampling page against the plain page, side by side."""

from __future__ import annotations

from benchmarks.browser import chromium, median, open_clocked, server, slider_times

ROUNDS, MOVES = 4, 10


def run() -> dict[str, float]:
    """Medians in ms and their ratio. Rounds alternate between the two pages, so that a slow minute hits both."""
    plain, ours = list[float](), list[float]()
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        plain_page, app_page = open_clocked(browser, plain_url), open_clocked(browser, app_url)
        for page in (plain_page, app_page):
            slider_times(page, 3)
        for _ in range(ROUNDS):
            plain_page.bring_to_front()
            plain += slider_times(plain_page, MOVES)
            app_page.bring_to_front()
            ours += slider_times(app_page, MOVES)
    return {
        "plain page, slider to paint, ms": median(plain),
        "Sampling page, slider to paint, ms": median(ours),
        "Sampling page / plain page": median(ours) / median(plain),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:40} {value:8.2f}")
