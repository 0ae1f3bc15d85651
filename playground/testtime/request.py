"""What one best-of-N run asks for, as plain data that can be kept, linked and asked again.

Text and settings, no token ids: those belong to one model. ``candidate_request`` reads it with a codec.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.engine.api import TextCodec
from playground.engine.text.prompt import encode_prompt
from playground.engine.types import TokenIds
from playground.errors import BadInput
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.testtime.beam_settings import BeamSettings
from playground.testtime.generate import MOST_VARIATIONS, CandidateRequest, Variation
from playground.testtime.types import check_count

DEFAULT_NEW_TOKENS = 48
_MOST_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class BestOfNRequest:
    """A prompt, how it is sampled, and how many answers are wanted.

    ``temperatures`` and ``systems`` mix settings across candidates: every pair of them is one way of asking; empty means
    the one of ``settings`` and ``system``. ``beams`` adds that many candidates of a beam search to the table (0: none).
    ``scorers`` are labels (``NAME`` or ``NAME:ARG``); ``reference`` and ``answer_pattern`` are what rules compare with.
    """

    prompt: str
    chat: bool = False
    system: str = ""
    parse_special: bool = False
    settings: SamplerSettings = NEUTRAL
    seed: int = 0
    n: int = 8
    max_new_tokens: int = DEFAULT_NEW_TOKENS
    stop_strings: tuple[str, ...] = ()
    ignore_eos: bool = False
    temperatures: tuple[float, ...] = ()
    systems: tuple[str, ...] = ()
    beams: int = 0
    beam_groups: int = 1
    diversity_penalty: float = 0.0
    length_penalty: float = 1.0
    scorers: tuple[str, ...] = ()
    reference: str = ""
    answer_pattern: str = ""

    def __post_init__(self) -> None:
        check_count(self.n)
        if len(self.ways()) > MOST_VARIATIONS:
            raise BadInput(
                f"variations: {len(self.temperatures)} temperatures times {len(self.systems)} system prompts are more than "
                f"{MOST_VARIATIONS} ways of asking; take fewer.",
                "variations",
            )
        if self.systems and not self.chat:
            raise BadInput(
                "systems: only a chat has a system prompt; switch the prompt to chat or remove them.", "systems"
            )
        if self.beams:
            self.beam_settings()

    def ways(self) -> tuple[tuple[str, str, SamplerSettings], ...]:
        """(name, system prompt, settings) of each way of asking, in the order in which candidates are dealt."""
        temperatures = self.temperatures or (self.settings.temperature,)
        systems = self.systems or (self.system,)
        ways = []
        for number, system in enumerate(systems, 1):
            for temperature in temperatures:
                names = [f"T = {temperature:g}"] if len(temperatures) > 1 else []
                names += [f"system {number}"] if len(systems) > 1 else []
                ways.append((", ".join(names), system, self.settings.replace(temperature=temperature)))
        return tuple(ways)

    def sampling_part(self) -> BestOfNRequest:
        """The request as far as its samples depend on it: without beams, and without what they are judged by."""
        plain = BestOfNRequest(self.prompt)
        names = (
            "beams",
            "beam_groups",
            "diversity_penalty",
            "length_penalty",
            "scorers",
            "reference",
            "answer_pattern",
        )
        return replace(self, **{name: getattr(plain, name) for name in names})

    def beam_settings(self) -> BeamSettings:
        """Raises BadInput for beams that cannot be searched."""
        return BeamSettings(
            beams=self.beams,
            groups=self.beam_groups,
            diversity_penalty=self.diversity_penalty,
            length_penalty=self.length_penalty,
        )


def encode_request(codec: TextCodec, request: BestOfNRequest, system: str) -> TokenIds:
    """What the model reads in one of the ways of asking, see ``encode_prompt``."""
    return encode_prompt(codec, request.prompt, chat=request.chat, system=system, parse_special=request.parse_special)


def candidate_request(request: BestOfNRequest, codec: TextCodec) -> CandidateRequest:
    """The request to generate from, checked. Raises BadInput or BadPrompt."""
    return CandidateRequest(
        variations=tuple(
            Variation(encode_request(codec, request, system), settings, name)
            for name, system, settings in request.ways()
        ),
        n=request.n,
        max_new_tokens=request.max_new_tokens,
        seed=request.seed,
        stop_strings=request.stop_strings,
        ignore_eos=request.ignore_eos,
    )


# -- as JSON -------------------------------------------------------------------------------------------------------------

_Text = Annotated[str, Field(max_length=_MOST_TEXT)]
_Short = Annotated[list[Annotated[str, Field(max_length=4_000)]], Field(max_length=64)]


class _StoredRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    prompt: _Text
    chat: bool = False
    system: _Text = ""
    parse_special: bool = False
    settings: dict[str, Any] = {}
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    n: int = 8
    max_new_tokens: int = DEFAULT_NEW_TOKENS
    stop_strings: _Short = []
    ignore_eos: bool = False
    temperatures: Annotated[list[float], Field(max_length=MOST_VARIATIONS)] = []
    systems: _Short = []
    beams: int = 0
    beam_groups: int = 1
    diversity_penalty: float = 0.0
    length_penalty: float = 1.0
    scorers: _Short = []
    reference: _Text = ""
    answer_pattern: _Text = ""


def request_to_json(request: BestOfNRequest) -> str:
    values = {f.name: getattr(request, f.name) for f in fields(request)} | {"settings": request.settings.to_mapping()}
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def request_from_json(text: str | bytes) -> BestOfNRequest:
    """Raises BadInput with one sentence for anything ``request_to_json`` did not write."""
    try:
        read = _StoredRequest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise BadInput(
            f"The recorded request cannot be read ({place}: {first['msg'][:120]}): run it anew.", "request"
        ) from None
    values = {f.name: getattr(read, f.name) for f in fields(BestOfNRequest)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return BestOfNRequest(**values | {"settings": SamplerSettings.from_mapping(read.settings)})
