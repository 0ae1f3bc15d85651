"""Whether a model's chat template comes to an end: it is a program of strangers, rendered once where it can be stopped.

``render_once`` runs in a bounded child and imports nothing heavy; the environment is that of transformers' own renderer.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from playground.bounded import ChildDied, OutOfMemory, OutOfTime, RaisedInChild, call_bounded
from playground.errors import ModelRefused
from playground.models.wording import shown

if TYPE_CHECKING:
    from jinja2 import Template
    from transformers import PreTrainedTokenizerBase

SECONDS = 2.0
MEMORY_BYTES = 500_000_000
LONGEST_RESULT = 1_000_000  # characters that a template may make of two short messages


def require_ending_template(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Raises ModelRefused for a template that does not end in time or fills the memory. One that raises is left alone:
    whoever uses it is told then."""
    templates = getattr(tokenizer, "chat_template", None)
    for template in templates.values() if isinstance(templates, dict) else (templates,):
        if not isinstance(template, str) or "{%" not in template:  # without a statement nothing can loop
            continue
        try:
            length = call_bounded(
                render_once, template, seconds=SECONDS, memory_bytes=MEMORY_BYTES, warm_up=("{{ messages }}",)
            )
        except RaisedInChild:
            continue
        except (OutOfTime, OutOfMemory, ChildDied):
            length = LONGEST_RESULT + 1
        if length > LONGEST_RESULT:
            raise ModelRefused(
                f"The chat template of {shown(name)} does not come to an end: delete it from the model's folder or choose "
                "another model."
            )


def render_once(template: str) -> int:
    """How many characters ``template`` makes of a short conversation, the longest of three."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False)
    environment.globals |= {"raise_exception": raise_exception, "strftime_now": lambda pattern: "1 January 2026"}
    compiled = environment.from_string(template)
    user, answer, system = ({"role": role, "content": "Hello"} for role in ("user", "assistant", "system"))
    length = _length(compiled, [user])
    for conversation in ([system, user], [user, answer, user]):
        with suppress(Exception):  # a template may have no place for it
            length = max(length, _length(compiled, conversation))
    return length


def _length(compiled: Template, conversation: list[dict[str, str]]) -> int:
    """Characters of it, or a few more than ``LONGEST_RESULT``."""
    length = 0
    for part in compiled.generate(
        messages=conversation, add_generation_prompt=True, bos_token="<s>", eos_token="</s>", tools=None, documents=None
    ):
        length += len(part)
        if length > LONGEST_RESULT:
            break
    return length
