"""What `streamlit run app.py` and `make run` serve: the model read before anybody asks, deep links, an end that comes."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, bars_ready, serve

pytestmark = pytest.mark.e2e


def test_the_model_is_on_its_way_before_anybody_asks(open_page: OpenPage) -> None:
    """The glossary asks for no model, and no other page is opened: the server itself has asked."""
    with serve() as url:
        page = open_page(f"{url}/glossary")
        card = page.get_by_test_id("stSidebar").locator(".st-key-model_card")
        expect(card).to_contain_text("135 M parameters", timeout=60_000)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sampling").click()
        bars_ready(page)


def test_a_fresh_server_opens_a_deep_link_through_the_front_door(open_page: OpenPage) -> None:
    with serve() as url:
        page = open_page(f"{url}/attention?prompt=Hello%20there")
        expect(page.get_by_role("heading", name="Attention", level=1)).to_be_visible(timeout=60_000)
        expect(page.get_by_test_id("stSidebar").locator(".st-key-model_card")).to_be_visible()
        expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sampling")).to_be_visible()
        expect(page.get_by_label("Prompt", exact=True)).to_have_value("Hello there")


def test_an_end_in_the_middle_of_loading_aborts_nothing() -> None:
    with serve():
        pass  # serve() reads what the server wrote


def test_an_end_in_the_middle_of_a_long_reading_comes_within_seconds(open_page: OpenPage) -> None:
    with serve() as url:
        page = open_page(f"{url}/?prompt={'a+' * 7_000}b")
        expect(page.get_by_text("The model reads", exact=False)).to_be_visible(timeout=120_000)
        expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
        asked = time.monotonic()
    assert time.monotonic() - asked < 4  # before the server's patience with itself is over: nothing was cut off
