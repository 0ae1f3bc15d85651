"""Training data in a browser: a dial moves the kept share by keyboard, a pasted page is filtered, and it comes back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, settled

DEAF = "WebSocket.prototype.send = () => {}"  # from here on the server hears nothing: the browser knows the dials


def test_dials_and_pasted_documents(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/data_training")
    expect(page.get_by_text("28 of 51 documents are kept")).to_be_visible()
    dial = page.get_by_role("slider", name="Words with a letter")
    dial.press("Home")
    expect(page.get_by_text("29 of 51 documents are kept")).to_be_visible()
    expect(page.get_by_role("img", name="29 of 51 documents are kept")).to_be_visible()
    expect(page.get_by_role("button", name="Back to the published values")).to_be_visible()  # what follows the picture
    expect(page.get_by_text("Document (22)")).to_be_visible()
    expect(page).to_have_url(re.compile("gopher-letters"))
    dial.press("ArrowRight")  # the second move is one run, of the share
    expect(page).to_have_url(re.compile("gopher-letters"))
    settled(page)
    page.evaluate(DEAF)
    dial.press("End")
    expect(page.get_by_text("28 of 51 documents are kept")).to_have_count(0)
    expect(page.get_by_text(re.compile("of 51 documents are kept"))).to_be_visible()
    dial.press("Home")
    expect(page.get_by_text("29 of 51 documents are kept")).to_be_visible()
    page = open_page(f"{app_url}/data_training")  # a dial that nobody has moved yet
    expect(page.get_by_text("28 of 51 documents are kept")).to_be_visible()
    settled(page)
    page.evaluate(DEAF)
    page.get_by_role("slider", name="Words with a letter").press("Home")
    expect(page.get_by_text("29 of 51 documents are kept")).to_be_visible()
    page = open_page(f"{app_url}/data_training?dials=%5B%22gopher-letters%3A0%22%5D")
    expect(page.get_by_text("29 of 51 documents are kept")).to_be_visible()

    page.get_by_role("button", name="Paste").click()
    pasted = page.get_by_role("textbox", name="Documents")
    pasted.fill("<script>document.title = 'taken'</script> Home\nHome\nHome\n---\nI am jane.doe@example.org.")
    pasted.press("Control+Enter")
    page.get_by_role("button", name="Filter it").click()
    expect(page.get_by_text("0 of 2 documents are kept")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("<script>document.title")).to_be_visible()
    assert "taken" not in page.title()
    expect(page.get_by_text("jane.doe")).to_have_count(0)
    expect(page).to_have_url(re.compile("gopher-letters"))
    assert "jane" not in page.url

    page.get_by_role("button", name="The sample").click()
    expect(page.get_by_text("29 of 51 documents are kept")).to_be_visible()
