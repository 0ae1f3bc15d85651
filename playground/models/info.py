"""What is known of a model once it can be asked. Plain data; knows neither torch nor transformers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server that has the model was found to be, when it was chosen. None: it could not be found out."""

    kind: str  # "llama.cpp", "vLLM", ...
    version: str
    models: tuple[str, ...]  # the names it lists
    slots: int | None  # requests it works on at the same time
    row_tokens: int | None  # tokens of a row that it tells; None: all
    raw: bool | None  # its log-probabilities are those before its samplers
    chats_only: bool = False  # it takes no other text, and how many tokens it reads is not known

    @property
    def sentence(self) -> str:
        """The facts on one line, for people."""
        if self.chats_only:
            return f"{self.kind} {self.version}: chats only, no rows and no tokens of a text"
        rows = (
            "whole rows"
            if self.row_tokens is None
            else f"the {self.row_tokens:,} likeliest tokens of a row"
            if self.row_tokens
            else "no rows"
        )
        raw = {True: "before its samplers", False: "after its samplers", None: "before or after its samplers: unknown"}[
            self.raw
        ]
        at_once = "" if self.slots is None else f", {self.slots} requests at a time"
        return f"{self.kind} {self.version}: {rows}, {raw}{at_once}"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Facts about a model, as shown in the sidebar and written into exports. None: the engine does not know.

    ``revision`` identifies the exact weights, dtype and device class as far as the engine can tell them: what was
    cached under one revision is never served for another. Sizes are in bytes, counts in parameters or tokens.
    """

    id: str  # what the user typed to choose it: catalogue name, hub id, folder or address
    name: str  # what the page calls it
    revision: str
    architecture: str | None  # e.g. "LlamaForCausalLM"
    parameters: int | None
    weights_bytes: int | None
    device: str | None  # "cpu", "cuda:0", "mps"
    dtype: str | None  # "float32", "bfloat16", "float16"
    vocab_size: int  # rows of the output head: the length of a logits row
    context_length: int  # tokens
    layers: int | None
    heads: int | None
    kv_heads: int | None
    head_dim: int | None
    hidden_size: int | None
    has_chat_template: bool
    eos_token_ids: tuple[int, ...]
    license: str | None = None
    server: ServerFacts | None = None  # None: it runs in this process
    constraints: tuple[str, ...] = ()  # kinds of ``Constraint`` that a text may be bound to


@dataclass(frozen=True, slots=True)
class LoadedModelInfo(ModelInfo):
    """The same of a model that is loaded in this process: nothing is unknown. ``heads`` 0: no attention layers."""

    architecture: str
    parameters: int
    weights_bytes: int
    device: str
    dtype: str
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden_size: int
    quantised: bool = False  # the weights are stored so, and no gradient flows through them


def or_unknown(value: object) -> str:
    """A fact for the screen: "unknown" where the engine does not know."""
    return "unknown" if value is None else str(value)
