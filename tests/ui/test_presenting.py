"""Presenting: one press or the key, on every page, as the browser left it; the sizes are those that are promised."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from playground.ui import presenting
from playground.ui.components.type_size import LARGEST
from playground.ui.kit.pictures import TypeSize
from playground.ui.presenting import BODY_SHARE, SMALLEST_SHARE
from tests.ui.conftest import Opened

OpenApp = Callable[..., Opened]


@pytest.fixture(autouse=True)
def _one_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presenting, "visitor_id", lambda: "browser")
    presenting._left.clear()


def large(app: Opened) -> bool:
    return any("100vh /" in element.proto.body for element in app.at.get("html"))


def test_the_switch_stays_over_pages_and_in_new_tabs_until_it_is_pressed_again(open_app: OpenApp) -> None:
    app = open_app()
    assert not large(app)
    app.at.button(key="present").click()
    assert large(app.run())
    app.at.switch_page("../../pages/scale_laws.py")
    assert large(app.run())
    assert large(open_app()), "a tab that this browser opens now"
    app.at.button(key="stop_presenting").click()
    assert not large(app.run()) and not large(open_app())


def test_text_is_a_fiftieth_of_the_screen_or_more(open_app: OpenApp) -> None:
    app = open_app()
    app.at.button(key="present").click()
    app.run()
    (style,) = (element.proto.body for element in app.at.get("html") if "100vh /" in element.proto.body)
    assert float(re.findall(r"100vh / ([\d.]+)", style)[0]) == BODY_SHARE
    assert BODY_SHARE / 0.7 <= SMALLEST_SHARE
    app.at.button(key="stop_presenting").click()
    app.run()


def test_pictures_follow_the_browsers_type(open_app: OpenApp) -> None:
    app = open_app()
    app.put(TypeSize(2.0))
    app.section("Pipeline")
    (drawn,) = app.at.get("plotly_chart")
    assert '"height":760' in drawn.proto.spec.replace(" ", "").replace("760.0", "760")
    assert TypeSize().size < LARGEST
