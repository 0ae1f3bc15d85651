"""What a chat template adds, on a codec whose template is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.fake.codec import DEFAULT_SYSTEM, FakeCodec
from playground.errors import BadPrompt, CapabilityMissing
from playground.inspection.template import template_tokens

MESSAGES = st.text("zq7N?u assistanuer\n", min_size=1, max_size=12).filter(lambda text: text.strip() != "")


@given(MESSAGES)
def test_the_template_keeps_what_nobody_typed_and_no_more(text: str) -> None:
    tokens = template_tokens(FakeCodec(), text)
    typed = FakeCodec().decode([token.id for token in tokens if not token.added])
    added = FakeCodec().decode([token.id for token in tokens if token.added])
    assert typed == text
    assert added == (
        f"<|im_start|>system\n{DEFAULT_SYSTEM}<|im_end|>\n<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n"
    )


@given(MESSAGES, MESSAGES)
def test_a_typed_system_prompt_is_not_the_templates(text: str, system: str) -> None:
    tokens = template_tokens(FakeCodec(), text, system)
    assert FakeCodec().decode([token.id for token in tokens if not token.added]) == system + text


def test_each_added_token_has_its_reason_and_no_other() -> None:
    tokens = template_tokens(FakeCodec(), "hello")
    assert all(bool(token.about) == token.added for token in tokens)
    first, last = tokens[0], tokens[-1]
    assert "begins here" in first.about and last.about == "Layout that the template fixes."
    assert any("message ends here" in token.about for token in tokens if token.text == "⟨im_end⟩")


def test_what_cannot_be_a_message_is_refused() -> None:
    with pytest.raises(BadPrompt):
        template_tokens(FakeCodec(), " ")
    with pytest.raises(CapabilityMissing):
        template_tokens(FakeCodec(has_chat_template=False), "hello")
