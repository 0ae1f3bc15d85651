"""What `make run` serves: the model is read while nobody has opened a browser yet, and is let go of at the end."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, bars_ready, serve

pytestmark = pytest.mark.e2e


def test_the_model_is_on_its_way_before_anybody_asks(open_page: OpenPage) -> None:
    """The glossary asks for no model, and no other page is opened: the server itself has asked."""
    with serve("serve.py") as url:
        page = open_page(f"{url}/glossary")
        card = page.get_by_test_id("stSidebar").locator(".st-key-model_card")
        expect(card).to_contain_text("135 M parameters", timeout=60_000)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sampling").click()
        bars_ready(page)


def test_a_second_start_shows_kept_bars_before_the_model_is_there(open_page: OpenPage) -> None:
    """By the time the first bars are painted the weights have hardly begun to be read; at the end the numbers stay."""
    note = "kept from the last start"
    with serve("serve.py") as url:
        page = open_page(url)
        bars_ready(page)
        expect(page.get_by_text(note)).to_have_count(0, timeout=60_000)
        computed = page.locator(".bars").all_inner_texts()
    with serve("serve.py") as url:
        page = open_page(url)
        page.locator(".bars .fill").first.wait_for()
        assert note in page.get_by_test_id("stMain").inner_text()
        assert page.locator(".bars").all_inner_texts() == computed
        page.get_by_role("slider", name="Top-k").press("ArrowRight")  # off to 1
        expect(page.locator(".row.removed").first).to_be_visible()
        expect(page.get_by_text(note)).to_have_count(0, timeout=60_000)
        expect(page.get_by_test_id("stSidebar").locator(".st-key-model_card")).to_contain_text("ready")
        expect(page.locator(".row.removed").first).to_be_visible()


def test_an_end_in_the_middle_of_loading_aborts_nothing(open_page: OpenPage) -> None:
    with serve("serve.py"):
        pass  # serve() reads what the server wrote
