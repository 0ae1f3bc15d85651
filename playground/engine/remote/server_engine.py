"""What engines behind an address have in common: a client, what is known of the model, and its tokens."""

from __future__ import annotations

from typing import Generic, TypeVar

from playground.engine.api import TextCodec
from playground.engine.remote.http import ServerClient
from playground.models.info import ModelInfo

C = TypeVar("C", bound=TextCodec)


class ServerEngine(Generic[C]):
    """An ``Engine`` but for its facets and what they do. Safe to call from any thread."""

    def __init__(self, client: ServerClient, info: ModelInfo, codec: C) -> None:
        self._client, self._info, self._codec = client, info, codec

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def codec(self) -> C:
        return self._codec

    def close(self) -> None:
        """Let go of the connections; the server goes on for others."""
        self._client.close()
