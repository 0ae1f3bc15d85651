"""Showing and following in real browsers: one leader, three who follow, leave, return, reload, and go through a lesson."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, RoomServer, bars_ready, settled
from tests.e2e.test_room import join

pytestmark = pytest.mark.e2e


def sees(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()


def go(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).first.click()
    sees(page, title)
    settled(page)


def prompt_of(page: Page, text: str) -> None:
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(text)


def test_three_follow_leave_return_and_go_through_a_lesson(room_server: RoomServer, open_page: OpenPage) -> None:
    leader = open_page(room_server.leader_link)
    settled(leader)
    followers = [open_page(room_server.join_link) for _ in range(3)]
    for follower in followers:
        join(follower)
        expect(follower.get_by_text("You are")).to_be_visible()

    go(leader, "Sampling")
    bars_ready(leader)
    for follower in followers:
        bars_ready(follower)
    box = leader.get_by_role("textbox", name="Prompt")
    box.fill("Ada opened the")
    box.press("Control+Enter")
    for follower in followers:
        sees(follower, "Sampling")
        prompt_of(follower, "Ada opened the")
    expect(leader.get_by_text("3 of 3 follow")).to_be_visible()
    leader.get_by_role("tab", name="Pipeline").click()
    for follower in followers:
        expect(follower.get_by_role("tab", name="Pipeline")).to_have_attribute("aria-selected", "true")

    first, second, third = followers
    first.get_by_role("button", name="Look for yourself").click()
    expect(first.get_by_role("button", name="Follow the leader")).to_be_visible()
    go(second, "Glossary")  # a move of one's own leaves, too
    expect(second.get_by_role("button", name="Follow the leader")).to_be_visible()
    expect(leader.get_by_text("1 of 3 follow")).to_be_visible()
    go(leader, "Scaling laws")
    sees(third, "Scaling laws")
    sees(first, "Sampling")
    third.reload()
    sees(third, "Scaling laws")
    for away in (first, second):
        away.get_by_role("button", name="Follow the leader").click()
        sees(away, "Scaling laws")
    expect(leader.get_by_text("3 of 3 follow")).to_be_visible()

    go(leader, "Room")
    leader.get_by_role("tab", name="Lesson").click()
    leader.get_by_role("button", name="What attention shows, and what it does not").click()
    for follower in followers:  # the sentence has a line of its own below the heading
        expect(follower.get_by_text("Walk through the heads.")).to_be_visible()
        expect(follower.locator(".st-key-page_room")).to_have_count(0)
    leader.get_by_role("button", name="Open", exact=True).nth(4).click()
    for page in (leader, *followers):
        sees(page, "Inside the model")
        expect(page.get_by_text("Each layer is asked what it would say.")).to_be_visible()
    leader.get_by_role("button", name="The next step").or_(leader.locator(".st-key-lesson_forth button")).first.click()
    for page in (leader, *followers):
        expect(page.get_by_text("A pattern settles earlier than a fact.")).to_be_visible()
        prompt_of(page, "1 2 3 4 5 6 7 8 9 10")
