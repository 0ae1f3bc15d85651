"""A model's own chat template, rendered so that typed text stays apart from the template's text.

Templates are Jinja written by model makers; a message typed into one may spell ``<|im_end|>`` and so end its own turn.
Rendering around placeholders says which characters of the result came from whom; where that does not give what the
message itself gives, because the template rewrites it, the message's own rendering is taken. Knows no ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playground.engine.text.deadline import OutOfTime, template_deadline
from playground.errors import CapabilityMissing, PlaygroundError
from playground.models.wording import reason_text

# Private-use characters: no template writes them, and they are put back before anything is shown.
_USER = "\ue0f1\ue0f2\ue0f1"
_SYSTEM = "\ue0f3\ue0f4\ue0f3"
# Around the placeholder: whitespace a template's trim filter removes and no template writes itself.
_TRIMMED = "\x0b"
SECONDS = 2.0  # for a template; usual ones take a thousandth

Part = tuple[str, bool]  # text, and whether the user typed it


class Templated(Protocol):
    """What renders messages: a transformers tokenizer, or a server. ``chat_template`` None or "": it has no template."""

    @property
    def chat_template(self) -> str | None: ...

    def apply_chat_template(
        self, conversation: list[dict[str, str]], /, *, tokenize: bool, add_generation_prompt: bool
    ) -> object: ...


class ChatTemplate:
    """Renders one user message (and a system prompt) for an answer to follow."""

    def __init__(self, tokenizer: Templated, model_name: str) -> None:
        self._tokenizer = tokenizer
        self._model_name = model_name

    def render(self, text: str, system: str | None) -> tuple[list[Part], bool]:
        """The template's and the user's parts in order, joined the model's input; and whether they can be told apart.

        A template that trims messages has them trimmed here too. One that rewrites them (``tojson``, ``replace``,
        ``split``) gives its result as one part of its own. Raises CapabilityMissing where the model has no template or
        the template no place for a system prompt. None and "" both mean no system prompt of one's own: a template's
        default then stays.
        """
        if not getattr(self._tokenizer, "chat_template", None):
            raise CapabilityMissing(
                f"{self._model_name} has no chat template: switch to a raw prompt or choose an instruct model."
            )
        rendered = self._apply(_TRIMMED + _USER + _TRIMMED, _TRIMMED + _SYSTEM + _TRIMMED if system else "")
        whole = self._apply(text, system or "")
        if system and _SYSTEM not in rendered and self._is_left_out(whole, (text, system + "."), (text, "." + system)):
            raise CapabilityMissing(self._no_system_sentence())
        others = ((text + ".", system or ""), ("." + text, system or ""))
        if _USER not in rendered and self._is_left_out(whole, *others):
            raise CapabilityMissing(
                f"The chat template of {self._model_name} leaves the message out: switch to a raw prompt."
            )
        parts: list[Part] = [(rendered, False)]
        for placeholder, typed in ((_SYSTEM, system or ""), (_USER, text)):
            parts = [piece for part in parts for piece in _fill(part, placeholder, typed)]
        if "".join(part for part, _typed in parts) != whole:
            return [(whole, False)], False
        return parts, True

    def _is_left_out(self, whole: str, *others: tuple[str, str]) -> bool:
        """Whether other texts (message, system prompt) give ``whole`` too; a template may take a part of a text alone."""
        return all(whole == self._apply(text, system) for text, system in others)

    def render_messages(self, messages: Sequence[tuple[str, str]], *, answering: bool) -> str:
        """A whole conversation of (role, content). Raises CapabilityMissing where the template cannot be used for it."""
        conversation = [{"role": role, "content": content} for role, content in messages]
        try:
            if not getattr(self._tokenizer, "chat_template", None):
                raise ValueError("there is none")
            with template_deadline(SECONDS):
                return str(
                    self._tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=answering)
                )
        except OutOfTime as error:
            raise self._endless() from error
        except PlaygroundError:  # who renders is out of reach
            raise
        except Exception as error:  # a template raises what it likes: TemplateError, TypeError, ...
            raise CapabilityMissing(
                f"The chat template of {self._model_name} cannot hold this conversation ({reason_text(error)}): use plain "
                "text, or another model."
            ) from error

    def _apply(self, text: str, system: str) -> str:
        messages = [{"role": "user", "content": text}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        try:
            with template_deadline(SECONDS):
                return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except OutOfTime as error:
            raise self._endless() from error
        except PlaygroundError:  # who renders is out of reach
            raise
        except Exception as error:  # a template raises what it likes: TemplateError, TypeError, ...
            if system:
                raise CapabilityMissing(self._no_system_sentence()) from error
            raise CapabilityMissing(
                f"The chat template of {self._model_name} cannot be used: switch to a raw prompt."
            ) from error

    def _endless(self) -> CapabilityMissing:
        return CapabilityMissing(
            f"The chat template of {self._model_name} does not come to an end with this text: switch to a raw prompt or choose "
            "another model."
        )

    def _no_system_sentence(self) -> str:
        return f"The chat template of {self._model_name} has no place for a system prompt: leave it empty."


def _fill(part: Part, placeholder: str, typed: str) -> list[Part]:
    """Cut a template part at ``placeholder`` and put the typed text there, trimmed where the template trims."""
    rendered, by_user = part
    if by_user or placeholder not in rendered:
        return [part]
    before, after = rendered.split(placeholder, 1)
    content = typed
    if before.endswith(_TRIMMED):
        before = before[:-1]
    else:
        content = content.lstrip()
    if after.startswith(_TRIMMED):
        after = after[1:]
    else:
        content = content.rstrip()
    pieces = [(before, False), (content, True), *_fill((after, False), placeholder, typed)]
    return [piece for piece in pieces if piece[0]]
