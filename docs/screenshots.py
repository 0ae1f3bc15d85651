"""``python -m docs.screenshots``: open every page in Chromium and write the pictures the README shows."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from benchmarks.browser import chromium, server
from tests.e2e.conftest import RoomServer

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
    "architectures": ("/architectures?view=learn", 1280, False, None),
    "architectures-remember": ("/architectures?view=remember", 1280, False, None),
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
    "tune": ("/tune", 1280, False, None),
    "tune-reach": ("/tune?view=reach&temperature=0.7&top_p=0.8", 1280, False, None),
    "tune-reach-390": ("/tune?view=reach&temperature=0.7&top_p=0.8", 390, True, None),
    "teach": ("/teach_examples?prompt=How+to+make+pizza", 1280, False, None),
    "teach-demonstrations": ("/teach_examples?view=demonstrations", 1280, False, None),
    "preferences": ("/teach_preferences", 1280, False, None),
    "teach-390": ("/teach_examples?prompt=How+to+make+pizza", 390, True, None),
    "training-data": ("/data_training", 1280, False, None),
    "training-data-removed": ("/data_training?by=language", 1280, True, "Who is removed"),
    "training-data-390": ("/data_training", 390, True, None),
    "languages-premiums": ("/data_languages?view=premiums", 1280, False, None),
    "domains": ("/data_domains", 1280, False, None),
    "scale_model": ("/scale_model", 1280, False, None),
    "scale_training": ("/scale_training", 1280, False, None),
    "scale_laws": ("/scale_laws", 1280, False, None),
    "scale_serving": ("/scale_serving", 1280, False, None),
    "scale_data": ("/scale_data", 1280, False, None),
    "glossary": ("/glossary", 1280, False, None),
}


ROOM_SHOTS = ("room-wall", "room-presented", "room-phone", "room-question")
TEACH_SHOTS = ("teach-train", "teach-moved")
PREFERENCES_SHOTS = ("preferences-reward", "preferences-over")
TUNE_SHOTS = ("tune-plan", "tune-results", "tune-judge", "tune-decision")


# True once nothing is under way or on its way to the screen: a busy machine draws its charts seconds after the last run.
SETTLED = """() => document.querySelector("[data-testid='stApp'][data-test-script-state='notRunning']")
  && !document.querySelector(".st-key-bon_stop, .st-key-generate_stop, [class*='st-key-pending_'], [class*='st-key-stop_']")
  && !document.querySelector("[data-stale='true']")
  && !document.querySelector("[data-testid='stSkeleton']")
  && [...document.querySelectorAll("[data-testid='stPlotlyChart']")].every((chart) => chart.querySelector(".main-svg"))"""
QUIET_MS, PATIENCE_MS = 1_500, 300_000


def settle(page: Page) -> None:
    """Wait until the page has been settled twice with a pause between: a run may end only for the next to begin."""
    for _time in range(2):
        page.wait_for_function(SETTLED, timeout=PATIENCE_MS)
        page.wait_for_timeout(QUIET_MS)
    page.wait_for_function(SETTLED, timeout=PATIENCE_MS)


def take(page: Page, path: Path, tab: str | None) -> None:
    """Wait until the page has settled, then write its picture, the whole page high."""
    page.mouse.move(0, 0)  # no help of the button that was pressed
    settle(page)
    if tab is not None:
        page.get_by_role("tab", name=tab).click()
        settle(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert page.viewport_size is not None
    page.set_viewport_size({"width": page.viewport_size["width"], "height": min(int(height), 3000)})
    page.wait_for_timeout(800)
    page.screenshot(path=path)


def take_tune(page: Page, url: str) -> None:
    """A plan of two settings on the ready examples, run, and what its texts are for."""
    page.goto(f"{url}/tune")
    page.get_by_role("tab", name="Plan").click(timeout=120_000)
    page.get_by_role("button", name="Add a setting").click(timeout=60_000)
    tokens = page.get_by_role("spinbutton", name="Tokens at most")
    tokens.fill("40")
    tokens.press("Enter")
    page.get_by_role("button", name="Run the plan").click()
    expect(page.get_by_text("24 of 24 texts")).to_be_visible(timeout=300_000)
    for name in TUNE_SHOTS:
        take(page, IMAGES / f"{name}.png", name.partition("-")[2].capitalize())
        page.set_viewport_size({"width": 1280, "height": 900})


def take_teach(page: Page, url: str) -> None:
    """The shipped set of a tone, trained as it is offered, and what that moved."""
    page.goto(f"{url}/teach_examples?view=train&prompt=What+is+rain%3F")
    page.get_by_role("button", name="Train", exact=True).click(timeout=120_000)
    expect(page.get_by_text("· whole")).to_be_visible(timeout=600_000)
    take(page, IMAGES / "teach-train.png", None)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="See what moved").click()
    expect(page.get_by_text("What was learnt")).to_be_visible(timeout=120_000)
    take(page, IMAGES / "teach-moved.png", None)


def take_preferences(page: Page, url: str) -> None:
    """What a reward has learnt from votes for the shorter answer, and choosing by it with a flaw planted."""
    page.goto(f"{url}/teach_preferences")
    for button, tab, shown, name in (
        ("What a reward has learnt", "Reward model", "Held out, the head agrees with", PREFERENCES_SHOTS[0]),
        ("A reward that is fooled", "Best-of-N under it", "Choose runs of Best-of-N", ""),
    ):
        settle(page)
        page.get_by_role("button", name=button).first.click(timeout=PATIENCE_MS)
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_text(shown).first).to_be_visible(timeout=PATIENCE_MS)
        if name:
            take(page, IMAGES / f"{name}.png", None)
            page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Make 1,536 answers").click()
    expect(page.get_by_text("What is chosen", exact=True)).to_be_visible(timeout=1_200_000)
    take(page, IMAGES / f"{PREFERENCES_SHOTS[1]}.png", None)


def take_room(browser: Browser, folder: str) -> None:
    """The wall, a page for the projector, and what one who follows sees on a phone; two join under names."""
    room = RoomServer(Path(folder))
    room.start()
    leader = browser.new_page(viewport={"width": 1280, "height": 800})
    leader.goto(room.leader_link)
    guests = []
    for name in ("Ada", "Grace"):
        guest = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        guest.goto(room.join_link)
        guest.get_by_role("textbox", name="Nickname").fill(name)
        guest.get_by_role("button", name="Join", exact=True).click()
        expect(guest.get_by_text(f"You are {name}")).to_be_visible(timeout=60_000)
        guests.append(guest)
    expect(leader.get_by_role("list", name="Who is here").get_by_role("listitem")).to_have_count(len(guests))
    take(leader, IMAGES / "room-wall.png", None)
    leader.get_by_role("link", name="Sampling", exact=True).click()
    for page in (leader, *guests):
        expect(page.get_by_text("others (", exact=False).first).to_be_visible(timeout=120_000)
    take(guests[0], IMAGES / "room-phone.png", None)
    leader.set_viewport_size({"width": 1280, "height": 720})
    leader.keyboard.press("p")
    expect(leader.locator(".st-key-stop_presenting")).to_be_visible(timeout=60_000)
    leader.wait_for_timeout(2_500)
    leader.screenshot(path=IMAGES / "room-presented.png")
    leader.keyboard.press("p")
    take_question(leader, guests)
    for context in browser.contexts:
        context.close()
    room.close()


def take_question(leader: Page, guests: list[Page]) -> None:
    """What came out of a guess, for the whole room."""
    leader.get_by_role("link", name="Room", exact=True).click()
    leader.get_by_role("tab", name="Questions").click()
    leader.get_by_role("button", name="Ask the room").click()
    for guest, word in zip(guests, ("Paris", "beautiful"), strict=True):
        guest.get_by_role("textbox", name="What comes next?").fill(word)
        guest.get_by_role("button", name="Send my guess").click()
        expect(guest.get_by_text("Your guess:")).to_be_visible(timeout=60_000)
    leader.get_by_role("button", name="Reveal").click()
    expect(leader.locator(".js-plotly-plot")).to_be_visible(timeout=120_000)
    leader.set_viewport_size({"width": 1280, "height": 1_000})
    take(leader, IMAGES / "room-question.png", None)


def main(wanted: list[str]) -> int:
    """Take all pictures, or those named."""
    IMAGES.mkdir(exist_ok=True)
    of_pages = {name: shot for name, shot in SHOTS.items() if not wanted or name in wanted}
    with server("app.py") as url, chromium() as browser:
        for name, (address, width, dark, tab) in of_pages.items():
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
            )
            page = context.new_page()
            page.goto(url + address, timeout=PATIENCE_MS)
            take(page, IMAGES / f"{name}.png", tab)
            context.close()
        if not wanted or set(wanted) & set(TUNE_SHOTS):
            take_tune(browser.new_page(viewport={"width": 1280, "height": 900}), url)
        if not wanted or set(wanted) & set(TEACH_SHOTS):
            take_teach(browser.new_page(viewport={"width": 1280, "height": 900}), url)
        if not wanted or set(wanted) & set(PREFERENCES_SHOTS):
            take_preferences(browser.new_page(viewport={"width": 1280, "height": 900}), url)
    if not wanted or set(wanted) & set(ROOM_SHOTS):
        with chromium() as browser, tempfile.TemporaryDirectory() as folder:
            take_room(browser, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
