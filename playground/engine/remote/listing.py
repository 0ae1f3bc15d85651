"""The models that a server lists, and the one that is meant. Both kinds of interface have ``/v1/models``."""

from __future__ import annotations

from playground.engine.remote.http import ServerClient
from playground.engine.remote.reading import Answer
from playground.errors import ServerError
from playground.models.wording import shown


def chosen_model(client: ServerClient) -> tuple[Answer, tuple[str, ...]]:
    """The entry of the model that the address names, or the first, and the names of all. Raises ServerError."""
    address = client.address
    listed = Answer(client.ask(address.base + "/models"), address).children("data")
    names = tuple(short_name(one.text("id")) for one in listed)
    for one, name in zip(listed, names, strict=True):
        if address.model in (None, one.text("id"), name):
            return one, names
    known = ", ".join(map(shown, names[:8])) or "none"
    raise ServerError(
        f"The server at {address.base} has no model {shown(address.model or '')}: it lists {known}; put one after #."
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
