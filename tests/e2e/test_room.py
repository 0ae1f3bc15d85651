"""A room in real browsers: a leader and three others come in every way there is, and are still there after a kill."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, RoomServer, box, settled, until

pytestmark = pytest.mark.e2e
PHONE = {"width": 390, "height": 844}


def join(page: Page, nickname: str = "", code: str = "") -> None:
    settled(page)
    if code:
        page.get_by_role("textbox", name="Code").fill(code)
    if nickname:
        page.get_by_role("textbox", name="Nickname").fill(nickname)
    page.get_by_role("button", name="Join", exact=True).click()


def has_place(page: Page, nickname: str) -> None:
    expect(page.get_by_text(f"You are {nickname}")).to_be_visible()
    settled(page)


def on_the_wall(leader: Page, *nicknames: str) -> None:
    expect(leader.get_by_role("list", name="Who is here").get_by_role("listitem")).to_have_text(list(nicknames))


def test_a_leader_and_three_others(room_server: RoomServer, open_page: OpenPage) -> None:
    leader = open_page(room_server.leader_link)
    code = f"{room_server.code[:3]} {room_server.code[3:]}"
    expect(leader.locator(".room-code")).to_have_text(code)
    expect(leader).to_have_url(re.compile(r"/room\??$"))  # neither the secret nor the ticket
    leader.reload()
    expect(leader.locator(".room-code")).to_have_text(code)

    linked = open_page(room_server.join_link, **PHONE)
    join(linked)  # one click
    expect(linked.get_by_text("You are")).to_be_visible()
    friendly = until(linked.get_by_test_id("stMain").locator("strong").first.inner_text, str.strip)
    on_the_wall(leader, friendly)  # without a reload

    typed = open_page(f"{room_server.address}/attention", **PHONE)
    join(typed, "Zoë", "CCC CCC" if room_server.code != "CCCCCC" else "DDD DDD")
    expect(typed.get_by_text("This is not the code of the room")).to_be_visible()
    expect(typed.get_by_role("link", name="Sampling")).to_have_count(0)
    join(typed, "Zoë", code.lower())
    has_place(typed, "Zoë")

    third = open_page(room_server.join_link, **PHONE)
    join(third, "ZOE\u0308")
    expect(third.get_by_text("Somebody here is called")).to_be_visible()
    join(third, "<b>Zoë</b> 2")
    has_place(third, "<b>Zoë</b> 2")
    on_the_wall(leader, friendly, "Zoë", "<b>Zoë</b> 2")
    expect(leader.locator(".room-count")).to_contain_text("3 here")

    typed.goto(f"{room_server.address}/scale_model")  # the longest title
    expect(typed.get_by_role("button", name="Look for yourself")).to_be_visible()
    for button in (typed.locator(".st-key-page_room button").last, typed.locator(".st-key-page_export button")):
        place = box(button)
        assert place["x"] >= 0 and place["x"] + place["width"] <= PHONE["width"], "in reach of a thumb"
    typed.goto(f"{room_server.address}/room")
    typed.reload()
    has_place(typed, "Zoë")
    third.context.close()
    expect(leader.locator(".room-names .away")).to_have_count(1)

    room_server.kill()
    room_server.start()
    assert f"{room_server.code[:3]} {room_server.code[3:]}" == code
    has_place(typed, "Zoë")  # by itself, as Streamlit connects again
    leader.reload()
    on_the_wall(leader, friendly, "Zoë", "<b>Zoë</b> 2")
    other = open_page(room_server.leader_link)
    expect(other.locator(".room-code")).to_have_text(code)
    expect(leader.get_by_text("Leader 2 leads the room now")).to_be_visible()  # told where one stands
    has_place(leader, "Leader")
    with leader.expect_response(lambda answer: "/lead/" in answer.url) as refused:
        leader.goto(f"{room_server.address}/lead/{'x' * 22}")
    assert refused.value.status == 403

    other.get_by_role("button", name="People and code").click()
    other.get_by_role("combobox", name="Who has joined").click()
    other.get_by_role("option", name=friendly).click()
    settled(other)
    other.get_by_role("button", name="Remove").click()
    expect(linked.get_by_role("heading", name="Join the room")).to_be_visible()
