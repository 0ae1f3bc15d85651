"""Counting a model by building it without storage: transformers on torch's meta device.

torch is touched inside the functions only: importing this costs nothing. A config's own code (``auto_map``) is never
run and its weights are never fetched. This is the count that a formula must agree with, and the only one for
architectures without a formula.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.errors import BadInput
from playground.scaling.config_classes import build_config, one_line
from playground.scaling.config_fields import Fields, check_depth
from playground.scaling.foreign_configs import translate

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

# In which of transformers' lists a model is looked for: a composite one as a whole before its text model alone.
_COMPOSITE = ("AutoModelForMultimodalLM", "AutoModelForImageTextToText", "AutoModelForCausalLM", "AutoModel")
_TEXT = (
    "AutoModelForCausalLM",
    "AutoModelForMultimodalLM",
    "AutoModelForSeq2SeqLM",
    "AutoModelForMaskedLM",
    "AutoModel",
)
# With an encoder: of most, transformers lists the decoder alone among the causal language models.
_WITH_ENCODER = ("AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq", *_COMPOSITE)


@dataclass(frozen=True, slots=True)
class MetaCount:
    """Parameters of a model as transformers builds it; ``components`` of its text model by the modules' names, largest
    first. ``others``: what stands beside the text model (vision, audio, projector), counted in ``total`` too.
    """

    total: int
    components: tuple[tuple[str, int], ...]
    class_name: str
    others: tuple[tuple[str, int], ...] = ()
    problem: str = ""  # why a part beside the text model could not be counted

    @property
    def text(self) -> int:
        return self.total - sum(size for _, size in self.others)


def count_on_meta(config: Mapping[str, Any]) -> MetaCount:
    """Build ``config`` on the meta device and count its parameters, tied ones once; a composite model part by part.

    Takes seconds the first time (torch and transformers are imported) and holds no weights in memory. Raises BadInput
    for configs that transformers does not know or refuses.
    """
    model, problem = build_on_meta(config)
    components: dict[str, int] = {}
    others: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        part, group = part_of(name), component_of(name)
        where, key = (others, part) if part else (components, group)
        where[key] = where.get(key, 0) + math.prod(parameter.shape)
    ordered, beside = (tuple(sorted(one.items(), key=lambda item: -item[1])) for one in (components, others))
    total = sum(components.values()) + sum(others.values())
    return MetaCount(total, ordered, type(model).__name__, beside, problem)


def build_on_meta(config: Mapping[str, Any]) -> tuple[Any, str]:
    """The whole model on the meta device; or the text model alone and why the rest could not be built."""
    check_depth(config)
    raw = translate(config)
    whole = build_config(Fields(raw).text("model_type"), raw)
    if getattr(whole, "is_encoder_decoder", False):
        return _build(whole, _WITH_ENCODER), ""
    text = whole.get_text_config(decoder=True)
    if text is whole:
        return _build(whole, _TEXT), ""
    try:
        return _build(whole, _COMPOSITE), ""
    except BadInput as error:
        problem = error
    try:
        return _build(text, _TEXT), f"Only the text model is counted: {problem}"
    except BadInput:  # its text model is none by itself: what is wrong is wrong with the whole
        raise problem from None


def _build(config: PreTrainedConfig, lists: tuple[str, ...]) -> PreTrainedModel:
    import transformers
    from accelerate import init_empty_weights
    from transformers.initialization import no_init_weights

    autos = [getattr(transformers, name) for name in lists]
    auto = next((one for one in autos if type(config) in one._model_mapping), None)
    model_type = str(config.model_type)[:40]
    if auto is None:
        raise BadInput(
            f"transformers has no model of model_type {model_type!r} by itself; give the config of a whole model.",
            "model_type",
        )
    try:
        # include_buffers makes everything on the meta device from the start, so that tied weights can be tied; drawing
        # initial values, even storage-free, would take a minute for a model of thousands of experts.
        with init_empty_weights(include_buffers=True), no_init_weights():
            model = auto.from_config(config, trust_remote_code=False, attn_implementation="eager")
            model.tie_weights()  # left out together with the initial values
            return model
    except Exception as error:
        raise BadInput(
            f"transformers cannot build {model_type!r} from this config: {one_line(error)}.", "config"
        ) from None


def part_of(parameter_name: str) -> str:
    """What stands beside the text model that a parameter belongs to: ``vision_tower``; empty for the text model."""
    outer = [part for part in parameter_name.split(".")[:-1] if part != "model"] or ["model"]
    beside = ("vision", "visual", "audio", "speech", "image", "projector", "connector", "talker", "token2wav", "modal")
    return outer[0] if any(word in outer[0] for word in beside) else ""


def component_of(parameter_name: str) -> str:
    """What part of a model a parameter belongs to, by its name: ``model.layers.3.mlp.up_proj.weight`` → ``mlp``."""
    parts = parameter_name.split(".")
    inner = [index for index, part in enumerate(parts) if part.isdigit()]
    if not inner:
        return parts[-2] if len(parts) > 1 else parts[0]
    after = parts[inner[0] + 1 :]
    return after[0] if len(after) > 2 or len(after) == 1 else after[-2]
