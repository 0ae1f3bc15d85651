"""What a reader carries from page to page: the prompt, how it is read, the sampling settings, the model; and its link."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from playground.errors import BadInput, PlaygroundError
from playground.models.adapter_names import without_adapter
from playground.models.naming import ComparedModel, read_compared
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.state.link_fields import (
    LONGEST_TEXT,
    Reading,
    flag,
    link_field,
    link_fields,
    link_of,
    read_text,
    text,
)
from playground.state.link_fields import read_link as read_state

MAX_PROMPT_CHARACTERS = LONGEST_TEXT
MAX_LINK_STEPS = 4_096
MAX_SEED = 2**32 - 1
MOST_BESIDE = 3  # models beside the one in use
_OLD_MODELS = "beside"  # what links from before called them; on Attention that is a head
DEFAULT_PROMPT = "The capital of France is"


def read_seed(given: str) -> int:
    """A seed from text: a whole number from 0 to 2^32 - 1. Raises BadInput."""
    try:
        seed = int(given)
    except ValueError:
        seed = -1
    if not 0 <= seed <= MAX_SEED:
        raise BadInput(f"The seed must be a whole number from 0 to {MAX_SEED}, not {str(given)[:20]!r}.", "seed")
    return seed


def _read_prompt(given: str) -> str:
    if len(given) > MAX_PROMPT_CHARACTERS:
        raise BadInput(f"The prompt has more than {MAX_PROMPT_CHARACTERS:,} characters, the most that are read.")
    return read_text(given)


def _read_steps(given: str) -> tuple[int, ...]:
    parts = given.split(".") if given else []
    if len(parts) > MAX_LINK_STEPS or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise BadInput("The link's steps are not a list of token ids; the text starts at the prompt instead.")
    return tuple(int(part) for part in parts)


def _read_position(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 6):
        raise BadInput("The link's position among the steps is not a number; all its steps are shown.")
    return int(given)


def _read_name(given: str) -> str | None:
    if len(given) > 300 or not given.isprintable():
        raise BadInput("The link names a model or device that cannot exist; the present one is kept.")
    return given or None


def _read_beside(given: str) -> tuple[ComparedModel, ...]:
    try:
        names = json.loads(given)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > MOST_BESIDE:
        raise BadInput(f"The link's models to compare with are not a list of up to {MOST_BESIDE} names.")
    return tuple(dict.fromkeys(read_compared(name) for name in names))


@dataclass(frozen=True, slots=True)
class Setup:
    """The prompt, how it is read, the sampling settings, the seed, the tokens accepted so far, and the models beside.

    ``steps`` are token ids appended to the prompt; ``position`` of them are in view (stepping back keeps the rest).
    """

    model: str | None = link_field(None, _read_name)
    device: str | None = link_field(None, _read_name)
    dtype: str | None = link_field(None, _read_name)
    prompt: str = link_field(
        DEFAULT_PROMPT,
        _read_prompt,
        label="Prompt",
        high=MAX_PROMPT_CHARACTERS,
        always=True,
        help="The text whose next token is shown. Press Ctrl+Enter or click elsewhere to apply it.",
    )
    chat: bool = flag(
        label="Chat",
        help="Wrap the prompt as one user message in the model's own chat template, instead of continuing raw text.",
    )
    system: str = text(
        label="System prompt", longest=MAX_PROMPT_CHARACTERS, placeholder="empty: what the template itself says"
    )
    parse_special: bool = flag(
        name="special",
        label="Parse special tokens",
        help="Off: a spelt-out special token such as <|im_end|> is ordinary text. On: it is the token itself.",
    )
    seed: int = link_field(
        0,
        read_seed,
        label="Seed",
        low=0,
        high=MAX_SEED,
        step=1,
        always=True,
        help="Starts the random stream of the draws. The same seed, model and settings give the same tokens.",
    )
    settings: SamplerSettings = field(default_factory=SamplerSettings)
    steps: tuple[int, ...] = link_field((), _read_steps, write=lambda ids: ".".join(map(str, ids)))
    position: int = link_field(0, _read_position, name="at")
    beside: tuple[ComparedModel, ...] = link_field(
        (),
        _read_beside,
        name="compared",
        write=lambda models: json.dumps([one.text for one in models]),
        old_name=_OLD_MODELS,
    )

    @property
    def taken(self) -> tuple[int, ...]:
        """The accepted token ids in view."""
        return self.steps[: self.position]

    def same_text(self, other: Setup) -> bool:
        """Whether ``other`` has the same text before its accepted tokens, read by the same model, whatever adapter is on it."""
        names = ("prompt", "chat", "system", "parse_special", "device", "dtype")
        same_base = without_adapter(self.model) == without_adapter(other.model)
        return same_base and all(getattr(self, name) == getattr(other, name) for name in names)

    def change(self, **fields: Any) -> Setup:
        """With other fields. Another text or model starts the accepted tokens afresh."""
        new = replace(self, **fields)
        return new if new.same_text(self) else new.restart()

    def accept(self, token_id: int) -> Setup:
        """Append a token after those in view; tokens stepped back over are dropped unless it is the next of them."""
        if self.position < len(self.steps) and self.steps[self.position] == token_id:
            return replace(self, position=self.position + 1)
        return replace(self, steps=(*self.taken, token_id), position=self.position + 1)

    def move(self, by: int) -> Setup:
        """Step back (negative) or forth over the accepted tokens."""
        return replace(self, position=min(max(self.position + by, 0), len(self.steps)))

    def restart(self) -> Setup:
        """Forget the accepted tokens: they belong to the prompt they were drawn after."""
        return replace(self, steps=(), position=0)


def setup_fields(setup: Setup) -> dict[str, str]:
    """The query fields that reproduce ``setup``; values at their default are left out."""
    link = link_of(setup)
    if not setup.chat:
        link.pop("system", None)
    if not setup.steps:
        link.pop("at", None)
    else:
        link["at"] = str(setup.position)
    link |= {name: _setting_text(value) for name, value in setup.settings.to_mapping().items()}
    return {"check": _checksum(link), **link}  # first: at the end, whatever cuts a link short would cut it off too


def setup_query(setup: Setup) -> str:
    """``setup_fields`` as the text after the question mark."""
    return urlencode(setup_fields(setup))


def read_setup(query: Mapping[str, str], base: Setup | None = None) -> Reading[Setup]:
    """A ``Setup`` from query fields, on top of ``base``. Never raises: what is wrong is told and left at its default."""
    if not query.get(_OLD_MODELS, "[").startswith("["):
        query = {name: value for name, value in query.items() if name != _OLD_MODELS}
    reading = read_state(Setup, query, base)
    setup, problems = reading.state, list(reading.problems)
    setup = replace(setup, position=min(setup.position, len(setup.steps)) if "at" in query else len(setup.steps))
    settings, wrong = _read_settings(query)
    problems += wrong
    if settings is not None:
        setup = replace(setup, settings=settings)
    if not problems and "check" in query and query["check"] != _checksum(query):
        problems.append("This link was edited or cut off after it was made; what is left of it has been applied.")
    return Reading(setup, tuple(problems))


def _read_settings(query: Mapping[str, str]) -> tuple[SamplerSettings | None, list[str]]:
    """Sampler fields one by one, so that one bad value does not lose the others."""
    given: dict[str, object] = {name: query[name] for name in (*PARAMETERS, "order") if name in query}
    problems: list[str] = []
    for name in list(given):
        try:
            SamplerSettings.from_mapping({name: given[name]})
        except PlaygroundError as error:
            problems.append(f"{error} The link's value was left out.")
            del given[name]
    if not given:
        return None, problems
    try:
        return SamplerSettings.from_mapping(given), problems
    except PlaygroundError as error:
        return None, [*problems, f"{error} The link's settings were left out."]


def _setting_text(value: object) -> str:
    if isinstance(value, Mapping):  # logit biases
        return ",".join(f"{token}={bias}" for token, bias in value.items())
    return json.dumps(value) if isinstance(value, list) else str(value)


def _checksum(query: Mapping[str, str]) -> str:
    names = {*(each.name for each in link_fields(Setup).values()), _OLD_MODELS, *PARAMETERS, "order"}
    said = "\n".join(f"{name}={query[name]}" for name in sorted(names) if name in query)
    return f"{zlib.crc32(said.encode('utf-8', 'surrogatepass')):08x}"
