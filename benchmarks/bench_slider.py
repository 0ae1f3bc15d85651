"""From an arrow key on a slider to repainted bars in Chromium: the Sampling page against the plain page, side by side."""

from __future__ import annotations

from benchmarks.browser import chromium, median, server, slider_times

ROUNDS, MOVES = 3, 8


def run() -> dict[str, float]:
    """Medians in ms and their ratio. Rounds alternate between the two pages, so that a slow minute hits both."""
    plain, ours = list[float](), list[float]()
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        plain_page, app_page = browser.new_page(), browser.new_page()  # type: ignore[attr-defined]
        plain_page.goto(plain_url)
        app_page.goto(app_url)
        for page in (plain_page, app_page):
            page.locator(".js-plotly-plot .xtick, .bars .fill").first.wait_for(timeout=120_000)
            slider_times(page, 3)
        for _ in range(ROUNDS):
            plain += slider_times(plain_page, MOVES)
            ours += slider_times(app_page, MOVES)
    return {
        "plain_page_ms": median(plain),
        "sampling_page_ms": median(ours),
        "ratio": median(ours) / median(plain),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:20} {value:8.2f}")
