"""Questions of a room in real browsers: asked, answered on phones, revealed; nothing told too early, nothing lost to a kill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.e2e.conftest import OpenPage, RoomServer, settled, until
from tests.e2e.test_room import PHONE, has_place, join

pytestmark = pytest.mark.e2e


class Received:
    """Everything that the server sends to a page's browser from now on."""

    def __init__(self, page: Page) -> None:
        self.bytes = b""
        self._page = page
        page.on("websocket", self._listen)
        page.reload()
        settled(page)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._receive)

    def has(self, *words: bytes) -> None:
        """Until all of these have come."""

        def missing() -> list[bytes]:
            self._page.title()  # lets Playwright hand over what has come
            return [word for word in words if word not in self.bytes]

        until(missing, lambda absent: not absent)

    def _receive(self, frame: bytes | str) -> None:
        self.bytes += frame if isinstance(frame, bytes) else frame.encode()


def guess(page: Page, word: str) -> None:
    settled(page)
    page.get_by_role("textbox", name="What comes next?").fill(word)
    page.get_by_role("button", name="Send my guess").click()


def own_guess(page: Page, word: str, token: str) -> None:
    """What was sent, and the token that it becomes."""
    expect(page.get_by_text(f"Your guess: ␣{word}, counted as its first token ␣{token} ")).to_be_visible()


def questions(leader: Page) -> None:
    settled(leader)
    leader.get_by_role("tab", name="Questions").click()


def choose(leader: Page, kind: str, first: str) -> None:
    """The kind of question, until its form has its ``first`` field."""
    settled(leader)
    leader.get_by_role("radio", name=kind).click()
    expect(leader.get_by_text(first, exact=True)).to_be_visible()
    settled(leader)


def ask(leader: Page) -> None:
    settled(leader)
    leader.get_by_role("button", name="Ask the room").click()


def reveal(leader: Page) -> None:
    settled(leader)
    leader.get_by_role("button", name="Reveal").click()


def present(leader: Page) -> None:
    """The key makes what is written in a drawn picture larger, too; then back."""
    settled(leader)
    leader.get_by_role("heading", name="Room").click()  # nobody types
    leader.keyboard.press("p")
    frame = "main => getComputedStyle(main, '::before').boxShadow"  # of what has the focus: none on a projector
    until(lambda: leader.get_by_test_id("stMain").evaluate(frame), lambda shadow: shadow == "none")
    written = leader.locator(".js-plotly-plot .ytick text").first
    wanted = int(leader.evaluate("window.innerHeight")) / 50
    until(
        lambda: float(written.evaluate("text => parseFloat(getComputedStyle(text).fontSize)")), lambda px: px >= wanted
    )
    settled(leader)
    leader.keyboard.press("p")
    expect(
        leader.get_by_role("button", name="Stop presenting").or_(leader.locator(".st-key-stop_presenting"))
    ).to_have_count(0)


def finish(leader: Page) -> None:
    settled(leader)
    leader.get_by_role("button", name="Finish").click()


def fits(page: Page) -> None:
    """Nothing stands beyond a phone's edge."""
    until(lambda: int(page.evaluate("document.documentElement.scrollWidth")), lambda wide: wide <= PHONE["width"])


def stray_and_die(leader: Page, others: tuple[Page, ...], address: str) -> Page:
    """The leader opens another page in mid-question, which takes all along, and closes the tab there. One finds the way back
    alone, all come back with the leader's new tab, which is given."""
    settled(leader)
    leader.get_by_role("link", name="Glossary", exact=True).first.click()
    expect(leader.get_by_role("button", name="On stage: Set the temperature (open)")).to_be_visible()
    for page in others:
        expect(page.get_by_role("heading", name="Glossary", exact=True, level=1)).to_be_visible()
        settled(page)
        fits(page)
    context = leader.context
    leader.close()
    others[-1].get_by_role("button", name="The room is asked: answer").click()
    expect(others[-1].get_by_text("What the model is given:")).to_be_visible()
    again = context.new_page()
    again.goto(address)
    again.get_by_role("button", name="On stage: Set the temperature (open)").click()
    for page in (again, *others):
        expect(page.get_by_text("What the model is given:")).to_be_visible()
    return again


def test_a_room_guesses_votes_and_sets_the_temperature(
    room_server: RoomServer, open_page: OpenPage, tmp_path: Path
) -> None:
    leader = open_page(room_server.leader_link)
    names = ("Anna", "Bert", "Carl")
    anna, bert, carl = others = tuple(open_page(room_server.join_link, **PHONE) for _name in names)
    for page, name in zip(others, names, strict=True):
        join(page, name)
        has_place(page, name)

    # a guess: nothing of the model before the reveal, and a killed server keeps what was given
    expect(leader.get_by_text("SmolLM2 135M Instruct: free")).to_be_visible()  # loaded
    questions(leader)
    leader.get_by_role("textbox", name="Text", exact=True).fill("The capital of France is")
    leader.get_by_role("textbox", name="Real next word").fill("Paris")
    ask(leader)
    listeners = [Received(page) for page in (leader, anna)]
    questions(leader)
    beside = anna.context.new_page()  # a second tab of hers, which hears what she answers in the first
    beside.goto(f"{room_server.address}/room")
    expect(beside.get_by_role("textbox", name="What comes next?")).to_be_visible()
    guess(anna, "Rome")
    own_guess(anna, "Rome", "Rome")
    own_guess(beside, "Rome", "Rome")
    beside.close()
    guess(anna, "Paris")  # in the place of the first
    own_guess(anna, "Paris", "Paris")
    guess(bert, "the <b>heart</b>")
    own_guess(bert, "the <b>heart</b>", "the")
    expect(leader.get_by_text("2 of 3 have answered")).to_be_visible()
    leader.get_by_role("button", name="Who has not").click()
    expect(leader.get_by_text("Carl", exact=True)).to_be_visible()
    leader.keyboard.press("Escape")
    settled(leader)
    leader.get_by_role("button", name="Timer").click()
    leader.get_by_role("button", name="5 min").click()
    for page in (leader, carl):
        expect(page.get_by_role("timer")).to_have_text(re.compile(r"^4:\d\d left$"))

    room_server.kill()
    room_server.start()
    expect(bert.get_by_text("Your guess: ␣the <b>heart</b>")).to_be_visible()  # as Streamlit connects again by itself
    bert.reload()
    expect(bert.get_by_text("Your guess: ␣the <b>heart</b>")).to_be_visible()
    leader.reload()
    questions(leader)
    expect(leader.get_by_text("2 of 3 have answered")).to_be_visible()
    for page in (leader, carl):  # the timer goes on
        expect(page.get_by_role("timer")).to_have_text(re.compile(r"^[0-4]:\d\d left$"))
    settled(leader)
    leader.get_by_role("button", name="Timer").click()
    leader.get_by_role("button", name="Stop the timer").click()
    expect(carl.get_by_role("timer")).to_have_count(0)
    guess(carl, "London")
    expect(leader.get_by_text("3 of 3 have answered")).to_be_visible()

    before = [b"perplexity", "␣Le".encode(), "␣La".encode(), b"log-probability", b"guess_bars"]
    for each in listeners:
        each.has(b"capital of France")
    assert not [word for word in before for each in listeners if word in each.bytes]
    reveal(leader)
    for page in (leader, *others):
        expect(page.get_by_text("Room's perplexity").first).to_be_visible()
        expect(page.get_by_text("77.25%").first).to_be_visible()
    listeners[1].has(*before)  # the test looks for what is shown at the reveal
    expect(anna.get_by_text("Your guess ␣Paris: the model gives it 77.25%")).to_be_visible()
    present(leader)
    fits(anna)
    finish(leader)

    # two answers, on sides of each voter's own
    choose(leader, "Which answer is better?", "Typed texts")
    leader.get_by_role("radio", name="Typed texts").click()
    leader.get_by_role("textbox", name="Question").fill("Why is the sky blue?")
    leader.get_by_role("textbox", name="Answer 1").fill("Air scatters blue light.")
    leader.get_by_role("textbox", name="Answer 2").fill("<script>alert(1)</script> It mirrors the sea.")
    ask(leader)
    for page in others:
        expect(page.get_by_text("Air scatters blue light.")).to_be_visible()
        settled(page)
        in_a = page.locator("[class*='st-key-better_A']").get_by_text("Air scatters").count()
        page.get_by_role("button", name="A is better" if in_a else "B is better").click()
        expect(page.get_by_text("Your vote is in")).to_be_visible()
    reveal(leader)
    expect(bert.get_by_text("Answer 1 against Answer 2: 3 to 0")).to_be_visible()
    finish(leader)

    # one slider, and what the model writes at the room's settings
    choose(leader, "Set the temperature", "Purpose")
    ask(leader)
    leader = stray_and_die(leader, others, room_server.address)
    for page, key in ((anna, "Home"), (bert, "End")):
        expect(page.get_by_role("slider", name="Temperature")).to_be_visible()
        settled(page)
        page.get_by_role("slider", name="Temperature").press(key)
        expect(page.get_by_text("Your setting")).to_be_visible()
    settled(carl)
    carl.get_by_role("button", name="Take 1.00").click()
    expect(leader.get_by_text("3 of 3 have answered")).to_be_visible()
    reveal(leader)
    for name in ("Lowest: 0.00", "Median: 1.00", "Highest: 2.00"):
        expect(leader.get_by_text(name)).to_be_visible(timeout=600_000)
        expect(carl.get_by_text(name)).to_be_visible()
    finish(leader)

    # what is kept, as a page that asks for nothing
    settled(leader)
    leader.get_by_text("Kept results").click()
    with leader.expect_download() as saved:
        leader.get_by_role("button", name="Page (HTML)").click()
    file = tmp_path / "answers.html"
    saved.value.save_as(file)
    asked: list[str] = []
    offline = leader.context.new_page()
    offline.on("request", lambda request: asked.append(request.url))
    offline.goto(file.as_uri())
    expect(offline.get_by_role("heading", name="Guess the next word")).to_be_visible()
    assert asked == [file.as_uri()]
    assert not re.search("Anna|Bert|Carl", offline.content())
