"""A plan: which settings write answers to which examples, how often, measured by what. Checked as a whole; runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.errors import BadInput
from playground.sampling.settings import SamplerSettings
from playground.testtime.registry import parse_spec
from playground.tuning.examples import MOST_EXAMPLES, Example, check_example
from playground.tuning.measures import Measure, find_measure

CONTROL = "control"
MOST_SETTINGS = 12
MOST_TEXTS = 20_000
MOST_NEW_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """``settings`` by name, the first of them the present one, with which all others are compared.

    A second run of the present one, ``CONTROL``, with other random numbers always takes part. ``require``: by measure, what
    the mean of the recommended setting must reach (or, where less is better, not exceed). ``chat``: prompts as messages.
    """

    examples: tuple[Example, ...]
    settings: Mapping[str, SamplerSettings]
    samples: int
    max_new_tokens: int
    seed: int
    measures: tuple[Measure, ...]
    require: Mapping[str, float]
    chat: bool

    @property
    def present(self) -> str:
        return next(iter(self.settings))

    @property
    def arms(self) -> tuple[str, ...]:
        """The settings in order, then the control."""
        return (*self.settings, CONTROL)

    @property
    def texts(self) -> int:
        return len(self.arms) * len(self.examples) * self.samples

    @property
    def most_tokens(self) -> int:
        """If no text ends before its limit."""
        return self.texts * self.max_new_tokens


class _ExampleFields(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prompt: str
    system: str = ""
    reference: str = ""
    checks: list[str] = []
    tags: list[str] = []


class _PlanFields(BaseModel):
    model_config = ConfigDict(extra="forbid")
    examples: str | Annotated[list[_ExampleFields], Field(min_length=1, max_length=MOST_EXAMPLES)]
    settings: Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=MOST_SETTINGS)]
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    max_new_tokens: Annotated[int, Field(ge=1, le=MOST_NEW_TOKENS)] = 64
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    measures: Annotated[list[str], Field(min_length=1, max_length=20)] = ["checks"]
    require: dict[str, float] = {}
    chat: bool = False


def read_plan(data: object, read_file: Callable[[str], tuple[Example, ...]]) -> Plan:
    """A plan out of JSON's or YAML's values; ``read_file`` reads the examples of a file that it names. Raises BadInput."""
    if _has_half_a_pair(data):
        raise _bad("it holds half a surrogate pair, which is no character; type it again")
    try:
        fields = _PlanFields.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        raise _bad(f"{place + ': ' if place else ''}{first['msg'][:160]}; correct it") from None
    examples = read_file(fields.examples) if isinstance(fields.examples, str) else _examples(fields.examples)
    measures = tuple(_measure(text) for text in dict.fromkeys(fields.measures))
    settings = {name: _settings(name, values) for name, values in fields.settings.items()}
    unmeasured = [name for name in fields.require if name not in [measure.name for measure in measures]]
    if unmeasured:
        raise _bad(f"require: {unmeasured[0][:40]!r} is not among the measures; add it there")
    undirected = [measure.name for measure in measures if measure.name in fields.require and not measure.better]
    if undirected:
        raise _bad(f"require: more {undirected[0]} is neither better nor worse; leave it out")
    if not fields.chat and any(example.system for example in examples):
        raise _bad("an example has a system prompt, which raw text has none of; set chat to true, or leave it out")
    plan = Plan(
        examples=examples,
        settings=settings,
        samples=fields.samples,
        max_new_tokens=fields.max_new_tokens,
        seed=fields.seed,
        measures=measures,
        require=fields.require,
        chat=fields.chat,
    )
    if plan.texts > MOST_TEXTS:
        raise _bad(
            f"it asks for {plan.texts:,} texts and at most {MOST_TEXTS:,} are written; take fewer samples or settings"
        )
    return plan


def plan_values(plan: Plan) -> dict[str, Any]:
    """The plan as JSON's and YAML's values, its examples among them; ``read_plan`` gives the same plan back."""
    return {
        "examples": [example_values(example) for example in plan.examples],
        "settings": {name: settings.to_mapping() for name, settings in plan.settings.items()},
        "samples": plan.samples,
        "max_new_tokens": plan.max_new_tokens,
        "seed": plan.seed,
        "chat": plan.chat,
        "measures": [measure.name for measure in plan.measures],
        "require": dict(plan.require),
    }


def example_values(example: Example) -> dict[str, Any]:
    """One example as a plan's file has it; what is empty is left out."""
    values = {
        "prompt": example.prompt,
        "system": example.system,
        "reference": example.reference,
        "checks": [spec.label for spec in example.checks],
        "tags": list(example.tags),
    }
    return {name: value for name, value in values.items() if value}


def _has_half_a_pair(data: object) -> bool:
    if isinstance(data, str):
        return any("\ud800" <= character <= "\udfff" for character in data)
    if isinstance(data, Mapping):
        return any(map(_has_half_a_pair, (*data, *data.values())))
    return isinstance(data, list) and any(map(_has_half_a_pair, data))


def _examples(given: list[_ExampleFields]) -> tuple[Example, ...]:
    examples = []
    for number, fields in enumerate(given, 1):
        try:
            checks = tuple(parse_spec(text) for text in fields.checks)
            example = Example(fields.prompt, fields.system, fields.reference, checks, tuple(fields.tags))
            examples.append(check_example(example))
        except BadInput as error:
            raise _bad(f"example {number}: {str(error).rstrip('.')}") from None
    return tuple(examples)


def _settings(name: str, values: Mapping[str, Any]) -> SamplerSettings:
    if not name.strip() or len(name) > 60 or name == CONTROL:
        raise _bad(f"a setting cannot be called {name[:60]!r}; give it another name of at most 60 characters")
    try:
        return SamplerSettings.from_mapping(values)
    except BadInput as error:
        raise _bad(f"setting {name!r}: {str(error).rstrip('.')}") from None


def _measure(text: str) -> Measure:
    try:
        return find_measure(text)
    except BadInput as error:
        raise _bad(f"measures: {str(error).rstrip('.')}") from None


def _bad(what: str) -> BadInput:
    return BadInput(f"The plan cannot be used: {what}.", "plan")
