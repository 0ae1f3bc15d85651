"""What the Generate page asks for beside the shared setup: where a text ends, how settings are compared, the colours."""

from __future__ import annotations

import json
from dataclasses import dataclass

from playground.charts.token_colours import SCALES
from playground.constraint import CONSTRAINT_NAMES, Constraint
from playground.engine.types import TokenIds
from playground.errors import BadInput
from playground.generation import GenerationRequest
from playground.generation.document import Limits
from playground.json_reading import read_json
from playground.state.link_fields import flag, link_field, one_of, read_text, text, whole

MOST_SEEDS = 8
LONGEST_PATTERN = 20_000  # characters
MATCHES = {"": "Anything"} | {kind: name[0].upper() + name[1:] for kind, name in CONSTRAINT_NAMES.items()}
STREAMS = {"same": "Common random numbers", "own": "Different seeds"}


def read_ids(given: str) -> TokenIds:
    """Token ids out of "1, 2 3". Raises BadInput."""
    parts = given.replace(",", " ").split()
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise BadInput(
            f"Stop token ids: write whole numbers with commas such as 2, 13, not {given[:40]!r}.", "stop_ids"
        )
    return tuple(int(part) for part in parts)


USUAL_STOPS = ("\n", "\n\n", ".", "}", "```", "<|im_end|>")  # offered where stop strings are chosen


def unescaped(given: str) -> str:
    r"""What a reader means by ``\n`` and ``\t`` in a one-line field. Anything else is taken as it stands."""
    return given.replace("\\n", "\n").replace("\\t", "\t")


def _checked(limits: Limits) -> Limits:
    GenerationRequest(
        prompt_ids=(0,),
        max_new_tokens=limits.max_new_tokens,
        stop_strings=limits.stop_strings,
        stop_ids=limits.stop_ids,
    )
    return limits


def _read_maximum(given: str) -> int:
    digits = given.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise BadInput(
            f"Maximum new tokens: a whole number such as 48 is needed, not {given[:20]!r}.", "max_new_tokens"
        )
    return _checked(Limits(int(given))).max_new_tokens


def _read_stops(given: str) -> tuple[str, ...]:
    try:
        stops = read_json(given)
    except ValueError:
        stops = None
    if not isinstance(stops, list) or not all(isinstance(item, str) for item in stops):
        raise BadInput("Stop strings: not a list of texts.", "stop")
    return _checked(Limits(stop_strings=tuple(stops))).stop_strings


def _read_stop_ids(given: str) -> str:
    _checked(Limits(stop_ids=read_ids(given)))
    return read_text(given)


@dataclass(frozen=True, slots=True)
class GenerateState:
    """``stop_ids`` is the text typed: which of them the model has is known when a generation starts.

    ``seeds`` are texts a setting; ``stream`` "same": every setting meets the same uniforms (common random numbers).
    """

    max_new_tokens: int = link_field(48, _read_maximum, name="new", label="Maximum new tokens", step=1, always=True)
    stop_strings: tuple[str, ...] = link_field(
        (),
        _read_stops,
        name="stop",
        write=lambda texts: json.dumps(list(texts)),
        label="Stop strings",
        placeholder="none",
        help="The text ends before the first of these, even if it spans tokens. Plain text, not a pattern; \\n is a line "
        "break. Only generated text counts: one inside the prompt stops nothing.",
    )
    stop_ids: str = link_field("", _read_stop_ids, label="Stop token ids", placeholder="for example 2, 13")
    ignore_eos: bool = flag(label="Go on after the end-of-sequence token")
    stream: str = one_of(
        "same",
        STREAMS,
        old_name="luck",
        label="Random stream",
        help="Common random numbers: every setting meets the same u at each step, so differences come from the settings "
        "alone.",
    )
    seeds: int = whole(1, 1, MOST_SEEDS, label="Seeds a setting")
    scale: str = one_of(
        "probability", {name: scale.label for name, scale in SCALES.items()}, name="colour", label="Colour by"
    )
    match: str = one_of(
        "",
        MATCHES,
        label="The text must match",
        help="The server lets only such tokens through as the text can still match with. Its samplers draw among those.",
    )
    pattern: str = text("", LONGEST_PATTERN, label="What it must match")

    @property
    def constraint(self) -> Constraint | None:
        """What is chosen; whether the model has it, and whether it says anything, is known when a generation starts."""
        kind = next((kind for kind in CONSTRAINT_NAMES if kind == self.match), None)
        return None if kind is None else Constraint(kind, self.pattern)

    def limits(self) -> Limits:
        """Checked, or BadInput with a sentence that names the field."""
        ids = read_ids(self.stop_ids)
        return _checked(Limits(self.max_new_tokens, self.stop_strings, ids, self.ignore_eos, self.constraint))
