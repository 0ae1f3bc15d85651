"""What a reader carries from page to page, and the link that brings somebody else to the same place.

A ``Setup`` is plain frozen data; this module knows no streamlit, so that links can be tested without a browser.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from playground.errors import BadInput, PlaygroundError
from playground.sampling.parameters import PARAMETERS
from playground.sampling.settings import SamplerSettings

MAX_PROMPT_CHARACTERS = 100_000
MAX_LINK_STEPS = 4_096
MAX_SEED = 2**32 - 1
_SETTINGS = (*PARAMETERS, "order")
DEFAULT_PROMPT = "The capital of France is"


@dataclass(frozen=True, slots=True)
class Setup:
    """The prompt, how it is read, the sampling settings, the luck, and the tokens accepted so far.

    ``steps`` are token ids appended to the prompt; ``position`` of them are in view (stepping back keeps the rest).
    """

    prompt: str = DEFAULT_PROMPT
    chat: bool = False
    system: str = ""
    parse_special: bool = False
    settings: SamplerSettings = field(default_factory=SamplerSettings)
    seed: int = 0
    steps: tuple[int, ...] = ()
    position: int = 0
    model: str | None = None
    device: str | None = None
    dtype: str | None = None

    @property
    def taken(self) -> tuple[int, ...]:
        """The accepted token ids in view."""
        return self.steps[: self.position]

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


@dataclass(frozen=True, slots=True)
class LinkReading:
    """What a link said. ``problems`` are sentences about the parts that could not be used."""

    setup: Setup
    problems: tuple[str, ...] = ()


def link_fields(setup: Setup) -> dict[str, str]:
    """The query fields that reproduce ``setup``; values at their default are left out."""
    fields: dict[str, str] = {}
    for name in ("model", "device", "dtype"):
        if value := getattr(setup, name):
            fields[name] = str(value)
    fields["prompt"] = setup.prompt
    if setup.chat:
        fields["chat"] = "1"
        if setup.system:
            fields["system"] = setup.system
    if setup.parse_special:
        fields["special"] = "1"
    fields["seed"] = str(setup.seed)
    fields.update({name: _field_text(value) for name, value in setup.settings.to_mapping().items()})
    if setup.steps:
        fields["steps"] = ".".join(map(str, setup.steps))
        fields["at"] = str(setup.position)
    return {"check": _checksum(fields), **fields}  # first: at the end, whatever cuts a link short would cut it off too


def link_query(setup: Setup) -> str:
    """``link_fields`` as the text after the question mark."""
    return urlencode(link_fields(setup))


def read_link(fields: Mapping[str, str], base: Setup | None = None) -> LinkReading:
    """A ``Setup`` from query fields, on top of ``base``. Never raises: what is wrong is told and left at its default.

    Unknown fields are ignored (Streamlit and others add their own).
    """
    setup, problems = base or Setup(), list[str]()
    changes: dict[str, object] = {}
    for name, reader in _READERS.items():
        if name not in fields:
            continue
        try:
            changes[_FIELD_OF.get(name, name)] = reader(fields[name])
        except (PlaygroundError, ValueError) as error:
            problems.append(str(error))
    setup = replace(setup, **changes)  # type: ignore[arg-type]
    setup = replace(setup, position=min(setup.position, len(setup.steps)) if "at" in fields else len(setup.steps))
    settings, wrong = _read_settings(fields)
    problems += wrong
    if settings is not None:
        setup = replace(setup, settings=settings)
    if not problems and "check" in fields and fields["check"] != _checksum(fields):
        problems.append("This link was edited or cut off after it was made; what is left of it has been applied.")
    return LinkReading(setup, tuple(problems))


def _read_settings(fields: Mapping[str, str]) -> tuple[SamplerSettings | None, list[str]]:
    """Sampler fields one by one, so that one bad value does not lose the others."""
    given: dict[str, object] = {name: fields[name] for name in _SETTINGS if name in fields}
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


def _field_text(value: object) -> str:
    if isinstance(value, Mapping):  # logit biases
        return ",".join(f"{token}={bias}" for token, bias in value.items())
    return json.dumps(value) if isinstance(value, list) else str(value)


def _checksum(fields: Mapping[str, str]) -> str:
    text = "\n".join(f"{name}={fields[name]}" for name in sorted({*_READERS, *_SETTINGS}) if name in fields)
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


def _read_prompt(text: str) -> str:
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise BadInput(f"The link's prompt has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are read.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput("The link's text has broken characters (lone surrogates) in it; the present text is kept.")
    return text


def _read_flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise BadInput(f"The link says {text[:20]!r} where only 0 or 1 is understood.")
    return text == "1"


def read_seed(text: str) -> int:
    """A seed from text: a whole number from 0 to 2^32 - 1."""
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if not 0 <= seed <= MAX_SEED:
        raise BadInput(f"The seed must be a whole number from 0 to {MAX_SEED}, not {str(text)[:20]!r}.", "seed")
    return seed


def _read_steps(text: str) -> tuple[int, ...]:
    parts = text.split(".") if text else []
    if len(parts) > MAX_LINK_STEPS or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise BadInput("The link's steps are not a list of token ids; the text starts at the prompt instead.")
    return tuple(int(part) for part in parts)


def _read_position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise BadInput("The link's position among the steps is not a number; all its steps are shown.")
    return int(text)


def _read_name(text: str) -> str | None:
    if len(text) > 300 or not text.isprintable():
        raise BadInput("The link names a model or device that cannot exist; the present one is kept.")
    return text or None


_READERS = {
    "prompt": _read_prompt,
    "chat": _read_flag,
    "system": _read_prompt,
    "special": _read_flag,
    "seed": read_seed,
    "steps": _read_steps,
    "at": _read_position,
    "model": _read_name,
    "device": _read_name,
    "dtype": _read_name,
}
_FIELD_OF = {"special": "parse_special", "at": "position"}
