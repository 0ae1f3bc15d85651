"""Kinds of servers with OpenAI's interface, by what they answer of themselves, and what each can be told beyond it.

Written from vLLM's and SGLang's own ``CompletionRequest`` (their main branches, autumn 2026) and from the pages of Ollama and LM
Studio on OpenAI compatibility. None of the four was run: docs/engines.md says what was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerKind:
    """``takes``: what ``StreamRequest`` calls a setting -> what the server calls it. ``neutral``: said in each request, because
    the server's own defaults, or the model's, are not neutral. ``scores_prompts``: it may tell a prompt's own
    log-probabilities. ``version_path``: where it tells its version, from its root. ``seeds_each``: text i of n in one request
    has the seed and i more. ``native``: it has SGLang's ``/generate``.
    ``tokenizes``: it tells a text's ids at ``/tokenize``, those of messages too where it ``tokenizes_chats``; ids become a
    text at ``/detokenize``, asked for with ``detokenize`` and told as ``detokenized``."""

    name: str
    version_path: str | None = None
    takes: Mapping[str, str] = field(default_factory=dict)
    neutral: Mapping[str, object] = field(default_factory=dict)
    scores_prompts: bool = False
    seeds_each: bool = False
    native: bool = False
    tokenizes: bool = False
    tokenizes_chats: bool = False
    detokenize: Mapping[str, object] = field(default_factory=dict)
    detokenized: str = "prompt"

    @property
    def names_ids(self) -> bool:
        """It names tokens by their ids in completions, so a row can be whole."""
        return "return_tokens_as_token_ids" in self.neutral


_SAME_NAMES = {name: name for name in ("top_k", "min_p", "repetition_penalty", "ignore_eos")}
_NEUTRAL = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}

# by ``owned_by`` of the models that it lists
KINDS: dict[str, ServerKind] = {
    "vllm": ServerKind(
        "vLLM",
        "/version",
        takes=_SAME_NAMES,
        neutral={**_NEUTRAL, "return_tokens_as_token_ids": True},
        scores_prompts=True,
        seeds_each=True,
        tokenizes=True,
        tokenizes_chats=True,
    ),
    "sglang": ServerKind(
        "SGLang",
        "/server_info",
        takes=_SAME_NAMES,
        neutral=_NEUTRAL,
        scores_prompts=True,
        native=True,
        tokenizes=True,
        detokenize={"skip_special_tokens": False},
        detokenized="text",
    ),
    "library": ServerKind("Ollama", "/api/version"),
    "organization_owner": ServerKind("LM Studio"),
}
OTHER = ServerKind("OpenAI-compatible")
