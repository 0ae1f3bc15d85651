"""Which adapters may be used without a question: those that take no memory, and a guest's own."""

from __future__ import annotations

from playground.engine.serving.loading import ModelChoice
from playground.errors import PlaygroundError
from playground.models.adapter_names import split_adapter
from playground.models.catalogue import resolve
from playground.models.naming import base_names
from playground.store.adapters import kept_folder, owner_of
from playground.ui.runtime import model_pool
from playground.ui.visitor import owner_id


def shares_loaded_weights(choice: ModelChoice) -> bool:
    """Whether it is a kept adapter on a base that is in memory, or on its way: that takes no memory to speak of."""
    names = base_names(choice.spec, choice.device, choice.dtype)
    try:
        name = resolve(choice.spec).adapter
    except PlaygroundError:
        return False
    if names is None or name is None or name.merged or kept_folder(name.adapter) is None:
        return False
    return ModelChoice(*names) in model_pool().asked_for()


def may_use(choice: ModelChoice) -> bool:
    """Whether it is a guest's own adapter on a model that is in memory."""
    name = split_adapter(choice.spec)
    return name is not None and owner_of(name.adapter) == owner_id() and shares_loaded_weights(choice)
