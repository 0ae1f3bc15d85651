"""What `streamlit run app.py` and `make run` serve: the model read before anybody asks, deep links, an end that comes."""

from __future__ import annotations

import re
import resource
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, bars_ready, in_frame, serve

pytestmark = pytest.mark.e2e


def test_an_end_in_the_middle_of_loading_aborts_nothing() -> None:
    with serve():
        pass  # serve() reads what the server wrote


def test_a_fresh_server_opens_a_deep_link_has_its_model_on_its_way_and_ends_while_it_reads(open_page: OpenPage) -> None:
    """The first request is for the glossary, which asks for no model: the server itself has asked."""
    before = ended_processes_s()
    with serve() as url:
        page = open_page(f"{url}/glossary")
        in_frame(page, "Glossary")
        card = page.get_by_test_id("stSidebar").locator(".st-key-model_card")
        expect(card).to_contain_text("135 M parameters")
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sampling").click()
        bars_ready(page)
        page.goto(f"{url}/?prompt={'a+' * 7_000}b")
        expect(page.get_by_text("The model reads", exact=False)).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
        asked = server_s(url)
    spent = ended_processes_s() - before - asked
    assert spent < 6, "the reading would take far longer: it is not waited for"


def server_s(url: str) -> float:
    """Seconds of a processor that the server has used; a busy machine's clock says nothing."""
    port = str(urlsplit(url).port)
    (server,) = (child for child in psutil.Process().children() if port in child.cmdline())
    used = server.cpu_times()
    return float(used.user + used.system)


def ended_processes_s() -> float:
    """Those of all servers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
