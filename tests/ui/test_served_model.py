"""What the browser adds to a model behind an address: who may name it, where the key comes from, what the card says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.runtime.secrets import secrets_singleton
from streamlit.testing.v1 import AppTest

from playground.engine.factory import make_engine
from playground.engine.serving.loading import Loading, ModelChoice
from playground.errors import ModelRefused
from playground.ui import runtime
from tests.engine.remote.standin import Reply, StandIn, running
from tests.engine.remote.tiny_llama import TinyLlama
from tests.ui.conftest import Opened


@pytest.fixture
def server() -> Iterator[StandIn]:
    with running(TinyLlama().routes()) as stand_in:
        yield stand_in


def test_the_key_is_the_environments_or_streamlits_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYGROUND_API_KEY", raising=False)
    assert runtime._server_key() is None
    monkeypatch.setattr(secrets_singleton, "_secrets", {"PLAYGROUND_API_KEY": "from a secret"})
    assert runtime._server_key() == "from a secret"
    monkeypatch.setenv("PLAYGROUND_API_KEY", "from the environment")
    assert runtime._server_key() == "from the environment"


def test_a_visitor_does_not_make_the_app_call_an_address_of_his_own(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = ModelChoice(server.base)
    monkeypatch.setenv("PLAYGROUND_API_KEY", "sk-1")
    runtime._open_engine(choice, Loading(choice)).close()
    assert {asked.headers.get("Authorization") for asked in server.asked} == {None}, "a loopback server got the key"
    before = len(server.asked)
    monkeypatch.setenv("PLAYGROUND_SERVERS", "http://elsewhere/v1")
    with pytest.raises(ModelRefused):
        runtime._open_engine(choice, Loading(choice))
    assert len(server.asked) == before
    monkeypatch.setenv("PLAYGROUND_SERVERS", server.base)
    runtime._open_engine(choice, Loading(choice)).close()
    assert server.asked[-1].headers["Authorization"] == "Bearer sk-1"


def test_the_card_says_what_the_server_is(open_app: Callable[..., Opened], server: StandIn) -> None:
    app = open_app(opener=lambda choice, progress: make_engine(server.base))
    card = " ".join(element.value for element in app.at.sidebar.markdown)
    assert "tiny" in card and "whole rows, before its samplers, 2 requests at a time" in card and "64 tokens" in card


def test_an_address_with_a_password_in_it_is_not_taken_over() -> None:
    """What is chosen stands in the link: a password must not."""

    def script() -> None:
        import streamlit as st

        from playground.ui.kit import session
        from playground.ui.workspace.model_picker import choose_model
        from playground.ui.workspace.setup import setup

        choose_model("http://me:secret@box/v1")
        st.text(f"{setup().model} {session.problems()}")
        choose_model(" HTTP://Box:80/v1/ ")
        st.text(str(setup().model))

    refused, taken = AppTest.from_function(script).run().text
    assert refused.value.startswith("None ") and "user name or password" in refused.value
    assert "secret" not in refused.value and taken.value == "http://box/v1"


def test_the_models_of_a_server_are_there_to_choose_from() -> None:
    def script() -> None:
        import streamlit as st

        from playground.models.info import ServerFacts
        from playground.ui.workspace.model_picker import _served_models
        from playground.ui.workspace.setup import setup

        _served_models("http://box/v1#one", ServerFacts("vLLM", "1", ("one", "two<b>*"), None, 20, True))
        st.text(str(setup().model))

    page = AppTest.from_function(script).run()
    assert [button.label for button in page.button] == ["one", "two\\<b\\>\\*"], "a server's names are no markup"
    page.button(key="served_model_0").click().run()
    assert page.text[0].value == "http://box/v1#one"


def test_a_page_recovers_when_its_server_does(open_app: Callable[..., Opened], server: StandIn) -> None:
    """A failure is a sentence on the page, and the next thing asked is answered again. A token's name is no markup."""
    answers = server.routes["/completion"]
    app = open_app({"prompt": "aa"}, opener=lambda choice, progress: make_engine(server.base))
    assert not app.errors and app.bars["rows"]
    server.routes["/completion"] = lambda asked: Reply({"error": "<b>out of memory</b>"}, 500)
    app.at.text_area(key="w_prompt").set_value("aaa")
    app.run()
    (said,) = app.errors
    assert "failed" in said and "500" in said and "\\<b\\>out of memory" in said and " <b>" not in said
    server.routes["/completion"] = answers
    app.at.text_area(key="w_prompt").set_value("aaaa")
    app.run()
    assert not app.errors and "<b>" in [row["label"] for row in app.bars["rows"]]
