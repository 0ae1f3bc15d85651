"""What a room's temperatures make of a text: one row of a generation a setting, all with the same random numbers.

The texts differ by temperature alone: no other sampler is on, and the rows share their seed and random stream.
"""

from __future__ import annotations

from playground.engine.api import Engine
from playground.engine.text.prompt import encode_prompt
from playground.generation import Generation, GenerationRequest, GenerationStep
from playground.room.questions.temperature import Spread, settings_to_write
from playground.room.questions.types import Temperature, TemperatureResult, WrittenText
from playground.sampling.settings import NEUTRAL

SEED, NEW_TOKENS = 1, 40


def texts_requests(engine: Engine, about: Temperature, answer_spread: Spread) -> tuple[GenerationRequest, ...]:
    """A row for the lowest, the median and the highest setting. The prompt is a message where the model has a template.

    Raises BadPrompt for a prompt that cannot be read.
    """
    ids = encode_prompt(engine.codec, about.prompt, chat=engine.info.has_chat_template)
    return tuple(
        GenerationRequest(ids, NEUTRAL.replace(temperature=value), max_new_tokens=NEW_TOKENS, seed=SEED, top=0)
        for _name, value in settings_to_write(answer_spread)
    )


def share_done(step: GenerationStep) -> float:
    """How far a generation of these requests is, 0 to 1."""
    return max((token.index + 1 for token in step.tokens), default=0) / NEW_TOKENS


def texts_result(generation: Generation, answer_spread: Spread, model: str) -> TemperatureResult:
    named = zip(settings_to_write(answer_spread), generation.rows, strict=True)
    return TemperatureResult(
        model, SEED, tuple(WrittenText(name, value, row.text.strip()) for (name, value), row in named)
    )
