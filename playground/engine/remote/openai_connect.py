"""What a server with OpenAI's completions is found to be: its kind, how it takes a prompt, what it tells of a row, before or
after its samplers, and whether the tokenizer here is that of its model. Asked once, when it is chosen."""

from __future__ import annotations

import os
from dataclasses import replace

from playground.constraint import constraint_kinds
from playground.engine.api import Engine
from playground.engine.remote.chat_server import connect_chat
from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import KINDS, OTHER, ServerKind
from playground.engine.remote.listing import chosen_model, short_name, unknown_model
from playground.engine.remote.openai_format import StreamedStep, TokenNames
from playground.engine.remote.openai_rows import CompletionRows, GenerateRows
from playground.engine.remote.openai_server import OpenAIEngine, ServedCompletions
from playground.engine.remote.openai_tokens import CHECKED, LARGEST_HEAD, REFUSED, Tokens, local_tokens, served_tokens
from playground.engine.remote.reading import Answer
from playground.engine.remote.refusals import unusable
from playground.errors import ModelNotFound, ServerError
from playground.models.info import ModelInfo, ServerFacts
from playground.models.tokenizers import TOKENIZER_VARIABLE
from playground.models.wording import Progress, shown

_COUNTS = (20, 5, 1)  # tokens of a row that are asked for, until the server gives so many
_LONGEST_CONTEXT = 2**20
_USUAL_CONTEXT = 4096  # where neither the server nor the tokenizer says


def connect_completions(client: ServerClient, progress: Progress) -> Engine:
    """An engine over the address's model: over its chats where it takes no other text, or where no tokenizer can be had.

    Raises ServerError, and ModelNotFound where a tokenizer is needed and not here.
    """
    own, models = chosen_model(client)
    name, kind = own.text("id"), KINDS.get(own.text("owned_by", ""), OTHER)
    version = _version(client, kind)
    progress("Reading the tokenizer", 0.3)
    tokens = _tokens(client, kind, name) if _takes_text(client, name) else None
    if not isinstance(tokens, Tokens):
        chats = connect_chat(client, name, models, kind, version)
        if chats is None:
            raise tokens or unusable(client.address, "takes neither texts nor chats")
        return chats
    context = own.whole("max_model_len", tokens.context)
    progress("Asking the server what it tells", 0.6)
    info = unknown_model(
        client.address.text,
        short_name(name),
        f"{client.address.text}:{name}:{kind.name} {version}:{tokens.name}",
        tokens.size,
        context if 0 < context <= _LONGEST_CONTEXT else _USUAL_CONTEXT,
        has_chat_template=tokens.has_chat_template,
        constraints=constraint_kinds(kind.name),
    )
    probe = _Probe(client, name, kind, tokens, info)
    probe.check_tokenizer(tokens.name)
    row_tokens = probe.longest_row()
    served = ServedCompletions(kind, name, row_tokens, probe.takes_ids, probe.tells_raw(row_tokens), probe.scores())
    facts = ServerFacts(kind.name, version, models, None, row_tokens, served.raw)
    info = replace(info, vocab_size=probe.size, server=facts)
    progress("The server is ready", 1.0)
    return OpenAIEngine(client, info, tokens.codec(info), served, probe.rows)


def _tokens(client: ServerClient, kind: ServerKind, model: str) -> Tokens | ModelNotFound:
    """Those of a tokenizer here, else the server's own, else why there are none."""
    try:
        return local_tokens(model)
    except ModelNotFound as error:
        if os.environ.get(TOKENIZER_VARIABLE):  # what was named is not there: that is to be mended
            raise
        return served_tokens(client, kind, model) or error


def _takes_text(client: ServerClient, model: str) -> bool:
    """Whether there are completions, beside chats. A server that refuses this one for another reason says so later."""
    body = {"model": model, "prompt": "Hi", "max_tokens": 1}
    try:
        client.ask(client.address.base + "/completions", body)
    except ServerError as error:
        if error.status in (404, 405, 501):
            return False
        if error.status not in REFUSED:
            raise
    return True


def _version(client: ServerClient, kind: ServerKind) -> str:
    if kind.version_path is None:
        return "unknown"
    try:
        answer = Answer(client.ask(client.address.root + kind.version_path), client.address)
    except ServerError as error:
        if error.status not in REFUSED:
            raise
        return "unknown"
    return answer.text("version", "unknown")[:80]


class _Probe:
    """Small requests whose answers say what a server does. Raises ServerError and ModelNotFound."""

    def __init__(self, client: ServerClient, model: str, kind: ServerKind, tokens: Tokens, info: ModelInfo) -> None:
        self._client, self._model, self._kind = client, model, kind
        self._native = kind.native
        self._names = tokens.names(info)
        self._use(info.vocab_size)
        self._ids = tokens.codec(info).encode(CHECKED)
        self.takes_ids = True

    def _use(self, size: int) -> None:
        """Take the model's head to have ``size`` rows; those beyond the tokenizer's tokens have no name."""
        self.size = size
        kind = GenerateRows if self._native else CompletionRows
        self.rows = kind(self._client, self._kind, self._model, TokenNames(self._names, size))

    def check_tokenizer(self, name: str) -> None:
        """Whether a prompt may be ids. A text must have the same ids there, or as many where they are not told, as by the
        tokenizer of ``name`` here."""
        if self._ids_there() not in (None, self._ids):
            raise ModelNotFound(
                f"The server at {self._client.address.base} makes other tokens of a text than the tokenizer of {shown(name)}: "
                f"name its own with {TOKENIZER_VARIABLE}."
            )
        answer = self.rows.ask(CHECKED)
        if not answer.has("usage"):
            raise unusable(self._client.address, "does not count a prompt's tokens, so its tokenizer cannot be checked")
        counted = answer.child("usage").whole("prompt_tokens")
        if counted != len(self._ids):
            raise ModelNotFound(
                f"The server at {self._client.address.base} makes {counted} tokens of a text of which the tokenizer of "
                f"{shown(name)} makes {len(self._ids)}: name its own with {TOKENIZER_VARIABLE}."
            )
        try:
            by_ids = self.rows.ask(self._ids)
        except ServerError as error:
            if error.status not in REFUSED:
                raise
            self.takes_ids = False
            return
        self.takes_ids = by_ids.has("usage") and by_ids.child("usage").whole("prompt_tokens") == counted

    def _ids_there(self) -> tuple[int, ...] | None:
        """The server's own ids of the text; None where it does not tell them."""
        if not self._kind.tokenizes:
            return None
        body = {"model": self._model, "prompt": CHECKED}
        try:
            answer = self._client.ask(self._client.address.root + "/tokenize", body)
        except ServerError as error:
            if error.status not in REFUSED:
                raise
            return None
        return Answer(answer, self._client.address).ids("tokens", None)

    def _step(self, count: int, **settings: object) -> StreamedStep | None:
        """The first step with its row; None where the server refuses or tells none."""
        try:
            return self.rows.row(self._ids if self.takes_ids else CHECKED, count, None, **settings)
        except ServerError as error:
            if error.status not in REFUSED:
                raise
            return None

    def _row(self, count: int, **settings: object) -> dict[int, float]:
        step = self._step(count, **settings)
        return dict(step.top) if step else {}

    def longest_row(self) -> int | None:
        """How many tokens of a row the server tells; None: all, 0: none."""
        if self._native and not self._row(1):  # a router before it may not pass that on
            self._native = False
            self._use(self.size)
        if (self._native or self._kind.names_ids) and self._tells_all():
            return None
        for count in _COUNTS:
            step = self._step(count)
            if step is not None:  # some of them may have names that tell no id
                return count if step.unnamed is not None else len(step.top)
        return 0

    def _tells_all(self) -> bool:
        """Whether a row may be whole. A head may have more rows than the tokenizer has tokens, so ids beyond them count."""
        own = self.size
        self._use(max(own, LARGEST_HEAD))
        row = self._row(own)
        head = max(row, default=0) + 1
        if head > own:
            row = self._row(head)
        whole = len(row) == head >= own
        self._use(head if whole else own)
        return whole

    def scores(self) -> bool:
        """Whether the server tells a prompt's own log-probabilities: of ids, so that they are those of the ids here."""
        if not (self.takes_ids and self._kind.scores_prompts):
            return False
        try:
            return self.rows.score(self._ids).logprobs.size > 0
        except ServerError as error:
            if error.status not in (None, *REFUSED):
                raise
            return False

    def tells_raw(self, row_tokens: int | None) -> bool | None:
        """Whether a strong bias and a temperature leave what is told as it is; None where it takes neither."""
        count = _COUNTS[0] if row_tokens is None else row_tokens
        plain = self._row(count, temperature=1.0) if count else {}
        if not plain:
            return None
        likeliest = max(plain, key=lambda token: plain[token])
        bent = self._row(count, temperature=2.0, logit_bias={str(likeliest): -50})
        bent = bent or self._row(count, temperature=2.0)
        return abs(bent.get(likeliest, -99.0) - plain[likeliest]) < 0.05 if bent else None
