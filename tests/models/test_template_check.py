"""Chat templates are programs of strangers: one that does not end is found when the model is loaded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from playground.errors import ModelRefused
from playground.models.template_check import render_once, require_ending_template

LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
GROWS = (
    "{% set it = namespace(x='ab' * 1000) %}{% for a in range(60) %}{% set it.x = it.x ~ it.x %}{% endfor %}{{ it.x }}"
)
USUAL = "{% for message in messages %}<|{{ message.role }}|>{{ message.content | trim }}{% endfor %}"


@pytest.mark.parametrize(
    "template",
    [
        LOOPS,
        GROWS,
        "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
        "{% if messages[0].role == 'system' %}" + LOOPS + "{% endif %}",
        "{% if messages | length > 2 %}" + LOOPS + "{% endif %}",
    ],
)
def test_a_template_without_an_end_is_refused(template: str) -> None:
    with pytest.raises(ModelRefused, match="does not come to an end"):
        require_ending_template(SimpleNamespace(chat_template=template), "some/model")


@pytest.mark.parametrize(
    "template", [None, "", USUAL, "{{ raise_exception('no') }}{% if x %}{% endif %}", {"default": USUAL}]
)
def test_others_are_left_alone(template: object) -> None:
    require_ending_template(SimpleNamespace(chat_template=template), "some/model")


def test_it_renders_as_transformers_does() -> None:
    assert render_once("{{ messages[0].content | tojson }}") == len('"Hello"')
    assert render_once(USUAL) == len("<|user|>Hello<|assistant|>Hello<|user|>Hello")  # the longest of three
