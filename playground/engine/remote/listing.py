"""The models that a server lists, and the one that is meant. Both kinds of interface have ``/v1/models``."""

from __future__ import annotations

from playground.engine.remote.http import ServerClient
from playground.engine.remote.reading import Answer
from playground.errors import ServerError
from playground.models.info import ModelInfo, ServerFacts
from playground.models.wording import shown


def chosen_model(client: ServerClient) -> tuple[Answer, tuple[str, ...]]:
    """The entry of the model that the address names, or the first, and the names of all. Raises ServerError."""
    address = client.address
    listed = Answer(client.ask(address.base + "/models"), address).children("data")
    names = tuple(short_name(one.text("id")) for one in listed)
    for one, name in zip(listed, names, strict=True):
        if address.model in (None, one.text("id"), name):
            return one, names
    model_names = ", ".join(map(shown, names[:8])) or "none"
    raise ServerError(
        f"The server at {address.base} has no model {shown(address.model or '')}: it lists {model_names}; put one after #."
    )


def short_name(name: str) -> str:
    """A model's name without the folders and the ending of its file, which are the server's business; org/name stays.

    >>> short_name("/data/models/tiny-Q4.gguf"), short_name("org/tiny")
    ('tiny-Q4', 'org/tiny')
    """
    if name.lower().endswith(".gguf") or name.startswith("/") or "\\" in name:
        last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
        name = last[:-5] if last.lower().endswith(".gguf") else last
    return name[:80] or "a served model"


def unknown_model(
    spec: str,
    name: str,
    revision: str,
    vocab_size: int,
    context_length: int,
    *,
    has_chat_template: bool,
    server: ServerFacts | None = None,
    constraints: tuple[str, ...] = (),
) -> ModelInfo:
    """Facts of a model whose server tells nothing of its insides."""
    return ModelInfo(
        id=spec,
        name=name,
        revision=revision,
        architecture=None,
        parameters=None,
        weights_bytes=None,
        device=None,
        dtype=None,
        vocab_size=vocab_size,
        context_length=context_length,
        layers=None,
        heads=None,
        kv_heads=None,
        head_dim=None,
        hidden_size=None,
        has_chat_template=has_chat_template,
        eos_token_ids=(),
        server=server,
        constraints=constraints,
    )
