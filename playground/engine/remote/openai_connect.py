"""What a server with OpenAI's completions is found to be: its kind, how it takes a prompt, what it tells of a row, before or
after its samplers, and whether the tokenizer here is that of its model. Asked once, when it is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import KINDS, OTHER, ServerKind
from playground.engine.remote.listing import chosen_model, short_name
from playground.engine.remote.openai_format import TokenNames, told_steps
from playground.engine.remote.openai_server import NEUTRAL, OpenAIEngine, ServedCompletions
from playground.engine.remote.prompt_scores import prompt_score
from playground.engine.remote.reading import Answer
from playground.engine.remote.refusals import unusable
from playground.engine.text.codec import HfTextCodec
from playground.errors import ModelNotFound, ServerError
from playground.models.info import ModelInfo, ServerFacts
from playground.models.tokenizers import TOKENIZER_VARIABLE, tokenizer_for
from playground.models.wording import Progress, shown

_CHECKED = "The capital of France is  Paris: 12,345 für Zoë\n\n\tdef f(x):"
_COUNTS = (20, 5, 1)  # tokens of a row that are asked for, until the server gives so many
_REFUSED = (400, 404, 405, 422)
_LONGEST_CONTEXT = 2**20
_USUAL_CONTEXT = 4096  # where neither the server nor the tokenizer says


def connect_completions(client: ServerClient, progress: Progress) -> OpenAIEngine:
    """An engine over the address's model. Raises ServerError, and ModelNotFound without a tokenizer here."""
    own, models = chosen_model(client)
    name = own.text("id")
    kind = KINDS.get(own.text("owned_by", ""), OTHER)
    progress("Reading the tokenizer", 0.3)
    tokenizer, tokenizer_name = tokenizer_for(name)
    context = own.whole("max_model_len", min(int(getattr(tokenizer, "model_max_length", 0) or 0), 2**60))
    size, version = len(tokenizer), _version(client, kind)
    info = ModelInfo(
        id=client.address.text,
        name=short_name(name),
        revision=f"{client.address.text}:{name}:{kind.name} {version}:{tokenizer_name}",
        architecture=None,
        parameters=None,
        weights_bytes=None,
        device=None,
        dtype=None,
        vocab_size=size,
        context_length=context if 0 < context <= _LONGEST_CONTEXT else _USUAL_CONTEXT,
        layers=None,
        heads=None,
        kv_heads=None,
        head_dim=None,
        hidden_size=None,
        has_chat_template=bool(getattr(tokenizer, "chat_template", None)),
        eos_token_ids=(),
    )
    codec = HfTextCodec(tokenizer, info)
    progress("Asking the server what it tells", 0.6)
    probe = _Probe(client, name, kind, codec, size)
    takes_ids = probe.check_ids(tokenizer_name)
    told = probe.told()
    served = ServedCompletions(
        kind, name, told, takes_ids, probe.tells_raw(told) if told else None, probe.scores(takes_ids)
    )
    facts = ServerFacts(kind.name, version, models, None, told, served.raw)
    progress("The server is ready", 1.0)
    return OpenAIEngine(client, replace(info, server=facts), codec, served, probe.names)


def _version(client: ServerClient, kind: ServerKind) -> str:
    if kind.version_path is None:
        return "unknown"
    try:
        answer = Answer(client.ask(client.address.root + kind.version_path), client.address)
    except ServerError as error:
        if error.status not in _REFUSED:
            raise
        return "unknown"
    return answer.text("version", "unknown")[:80]


class _Probe:
    """Small requests whose answers say what a server does."""

    def __init__(self, client: ServerClient, model: str, kind: ServerKind, codec: HfTextCodec, size: int) -> None:
        self._client, self._model, self._kind = client, model, kind
        self._ids = codec.encode(_CHECKED)
        self.names = _token_names(codec, size)

    def _ask(self, prompt: str | Sequence[int], **settings: object) -> Answer:
        body: Mapping[str, object] = {
            "model": self._model,
            "prompt": prompt if isinstance(prompt, str) else list(prompt),
            "max_tokens": 1,
            **NEUTRAL,
            **self._kind.neutral,
            **settings,
        }
        address = self._client.address
        return Answer(self._client.ask(address.base + "/completions", body), address)

    def check_ids(self, tokenizer: str) -> bool:
        """Whether a prompt may be ids; a text must have as many tokens there as here. Raises ServerError, ModelNotFound."""
        answer = self._ask(_CHECKED)
        if not answer.has("usage"):
            raise unusable(self._client.address, "does not count a prompt's tokens, so its tokenizer cannot be checked")
        counted = answer.child("usage").whole("prompt_tokens")
        if counted != len(self._ids):
            raise ModelNotFound(
                f"The server at {self._client.address.base} makes {counted} tokens of a text of which the tokenizer of "
                f"{shown(tokenizer)} makes {len(self._ids)}: name its own with {TOKENIZER_VARIABLE}."
            )
        try:
            by_ids = self._ask(self._ids)
        except ServerError as error:
            if error.status not in _REFUSED:
                raise
            return False
        return by_ids.has("usage") and by_ids.child("usage").whole("prompt_tokens") == counted

    def _row(self, **settings: object) -> dict[int, float]:
        """The first step's row; nothing where the server refuses or tells none."""
        try:
            choices = self._ask(_CHECKED, **settings).children("choices")
        except ServerError as error:
            if error.status not in _REFUSED:
                raise
            return {}
        steps = told_steps(choices[0], self.names) if choices else []
        return dict(steps[0].top) if steps else {}

    def told(self) -> int:
        """How many tokens of a row the server tells; 0: none."""
        return next((found for count in _COUNTS if (found := len(self._row(logprobs=count)))), 0)

    def scores(self, takes_ids: bool) -> bool:
        """Whether the server tells a prompt's own log-probabilities: of ids, so that they are those of the ids here."""
        if not (takes_ids and self._kind.scores_prompts):
            return False
        try:
            choices = self._ask(self._ids, prompt_logprobs=1).children("choices")
            return bool(choices) and prompt_score(choices[0], self._ids).logprobs.size > 0
        except ServerError as error:
            if error.status not in (None, *_REFUSED):
                raise
            return False

    def tells_raw(self, count: int) -> bool | None:
        """Whether a strong bias and a temperature leave what is told as it is; None where it takes neither."""
        plain = self._row(logprobs=count)
        if not plain:
            return None
        likeliest = max(plain, key=lambda token: plain[token])
        bent = self._row(logprobs=count, temperature=2.0, logit_bias={str(likeliest): -50})
        bent = bent or self._row(logprobs=count, temperature=2.0)
        if not bent:
            return None
        return all(abs(bent.get(token, -99.0) - value) < 0.05 for token, value in list(plain.items())[:1])


def _token_names(codec: HfTextCodec, size: int) -> TokenNames:
    """Which token is called how; a text that several tokens have names none."""
    by_bytes: dict[bytes, int] = {}
    several: set[bytes] = set()
    for token in range(size):
        name = codec.decode((token,)).encode() if codec.is_special(token) else codec.token_bytes(token)
        if name in by_bytes:
            several.add(name)
        by_bytes[name] = token
    return TokenNames({name: token for name, token in by_bytes.items() if name and name not in several}, size)
