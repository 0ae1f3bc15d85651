"""``python -m docs.screenshots``: open every page in Chromium and write the pictures the README shows."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser import chromium, server

IMAGES = Path(__file__).parent / "img"
# picture: (address, width, dark, tab to open)
SHOTS: dict[str, tuple[str, int, bool, str | None]] = {
    "sampling": ("/?top_p=0.9&temperature=0.8", 1280, False, None),
    "sampling-dark": ("/?top_p=0.9&temperature=0.8", 1280, True, None),
    "sampling-390": ("/?top_p=0.9&temperature=0.8", 390, False, None),
    "pipeline": ("/?top_p=0.9&temperature=0.8&top_k=40", 1280, False, "Pipeline"),
    "draw": ("/?top_p=0.9&temperature=1.2", 1280, False, "Why this token?"),
    "generate": ("/generate", 1280, False, None),
    "inside": ("/inside?prompt=The+Eiffel+Tower+is+in+the+city+of", 1280, False, None),
    "inside-dark": ("/inside?prompt=1+2+3+4+5+6+7+8+9+10&colour=divergence", 1280, True, None),
    "inside-anatomy": ("/inside", 1280, False, "Anatomy"),
    "inside-timing": ("/inside?show=timing", 1280, False, None),
    "attention": (
        "/attention?prompt=Mr+Durrant+met+Mrs+Potter+by+the+river.+Mr+Durrant+met&heads=18.6&query=12",
        1280,
        False,
        None,
    ),
    "attention-dark": (
        "/attention?prompt=The+river+runs+past+the+mill&heads=3.all.max&beside=18.6&colours=log",
        1280,
        True,
        None,
    ),
    "attention-heads": ("/attention?view=doing", 1280, False, None),
    "best_of_n": ("/best_of_n?n=8&new=12", 1280, False, None),
    "best_of_n-rankings": ("/best_of_n?n=8&new=12", 1280, False, "Rankings"),
    "best_of_n-curves": ("/best_of_n?n=8&new=12", 1280, True, "Curves"),
    "best_of_n-390": ("/best_of_n?n=8&new=12", 390, False, None),
    "scale_model": ("/scale_model", 1280, False, None),
    "scale_training": ("/scale_training", 1280, False, None),
    "scale_laws": ("/scale_laws", 1280, False, None),
    "scale_serving": ("/scale_serving", 1280, False, None),
    "scale_data": ("/scale_data", 1280, False, None),
    "glossary": ("/glossary", 1280, False, None),
}


def take(page: Page, path: Path, tab: str | None) -> None:
    """Wait until the page has settled, then write its picture, the whole page high."""
    page.wait_for_selector("[data-test-script-state='notRunning']", state="attached", timeout=120_000)
    page.wait_for_timeout(1_500)
    for working in (".st-key-bon_stop", "[class*='st-key-pending_']", "[class*='st-key-stop_']"):
        page.wait_for_selector(working, state="detached", timeout=120_000)  # work under way is no picture
    if tab is not None:
        page.get_by_role("tab", name=tab).click()
    page.wait_for_timeout(2_500)  # charts fade in
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert page.viewport_size is not None
    page.set_viewport_size({"width": page.viewport_size["width"], "height": min(int(height), 3000)})
    page.wait_for_timeout(800)
    page.screenshot(path=path)


def main(wanted: list[str]) -> int:
    """Take all pictures, or those named."""
    IMAGES.mkdir(exist_ok=True)
    with server("app.py") as url, chromium() as browser:
        for name, (address, width, dark, tab) in SHOTS.items():
            if wanted and name not in wanted:
                continue
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
            )
            page = context.new_page()
            page.goto(url + address)
            take(page, IMAGES / f"{name}.png", tab)
            context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
