"""Whether a model can be taught at all, as far as one knows before anything is loaded. Knows neither torch nor a page."""

from __future__ import annotations

from playground.errors import ModelRefused
from playground.models.adapter_names import without_adapter
from playground.models.info import LoadedModelInfo, ModelInfo


def why_not_taught(info: ModelInfo) -> str:
    """One sentence with a next step where no gradient can flow through the model; "" where one can."""
    if info.server is not None:
        return "A server's model cannot be taught from here: it gives no gradients. Choose a model of this machine."
    return quantised_sentence(info.name) if isinstance(info, LoadedModelInfo) and info.quantised else ""


def quantised_sentence(name: str) -> str:
    """Why a model whose weights are stored as quantised ones is not taught."""
    return f"{name} has quantised weights, through which no gradient flows: choose its unquantised form."


def teachable(info: ModelInfo) -> str | None:
    """The name of the model to load and teach; None is the default one. Raises ModelRefused for ``why_not_taught``."""
    if why := why_not_taught(info):
        raise ModelRefused(why)
    return without_adapter(info.id)
