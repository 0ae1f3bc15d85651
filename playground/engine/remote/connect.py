"""From an address to an engine: which kind of server answers there, and what it can be asked. Asked once, when it is chosen."""

from __future__ import annotations

from playground.constraint import constraint_kinds
from playground.engine.api import Engine
from playground.engine.remote.http import ServerClient
from playground.engine.remote.listing import chosen_model, short_name
from playground.engine.remote.llama_codec import LlamaServerCodec, LlamaServerTokenizer, make_table
from playground.engine.remote.llama_cpp import ENTRY_BYTES, LlamaCppEngine, ServedModel, ask_row
from playground.engine.remote.openai_connect import connect_completions
from playground.engine.remote.reading import Answer, listed_tokens
from playground.engine.remote.refusals import unusable
from playground.errors import ServerError
from playground.models.info import ModelInfo, ServerFacts
from playground.models.wording import Progress

_ANY_SIZE = 2**20  # tokens asked for where the vocabulary's size is not told
_PROBED = 5  # tokens of the row that says whether samplers change what is told


def connect(client: ServerClient, progress: Progress) -> Engine:
    """An engine over what answers at the client's address. Raises ServerError."""
    progress("Asking the server what it is", 0.1)
    props = _props(client)
    if props is None:
        return connect_completions(client, progress)
    return _llama_cpp(client, props, progress)


def _props(client: ServerClient) -> Answer | None:
    """What llama.cpp says at /props; None from a server that has no such page."""
    try:
        answer = Answer(client.ask(client.address.root + "/props"), client.address)
    except ServerError as error:
        if error.status in (400, 404, 405):
            return None
        raise
    return answer if answer.has("default_generation_settings") else None


def _llama_cpp(client: ServerClient, props: Answer, progress: Progress) -> LlamaCppEngine:
    address = client.address
    own, models = chosen_model(client)
    meta = own.child("meta") if own.has("meta") else Answer({}, address)
    name = own.text("id")
    progress("Reading the server's tokens", 0.4)
    size = meta.whole("n_vocab", _ANY_SIZE)
    if size * ENTRY_BYTES > 2**31:
        raise unusable(address, f"says its model has {size:,} tokens")
    first = ask_row(client, address.model, [0], size)
    entries = next(iter(first.children("completion_probabilities")), Answer({}, address)).items("top_logprobs")
    size = size if meta.has("n_vocab") else len(entries)
    listed_tokens(entries, size, address)  # ids and numbers are looked at before any is used
    if len(entries) != size:
        raise unusable(address, f"tells {len(entries):,} tokens of a row where its model has {size:,}")
    tokenizer = LlamaServerTokenizer(client, props.text("chat_template", ""), address.model)
    data = {entry.whole("id"): entry.data("bytes") for entry in (Answer(one, address) for one in entries)}
    table = make_table(tokenizer, data, size)
    progress("Looking at how the server tells probabilities", 0.8)
    served = ServedModel(
        answers_as=first.text("model", name),
        named=address.model,
        slots=max(1, min(props.whole("total_slots", 1), 256)),
    )
    facts = ServerFacts(
        kind="llama.cpp",
        version=props.text("build_info", "unknown")[:80],
        models=models,
        slots=served.slots,
        row_tokens=None,
        raw=_tells_raw(client, size),
    )
    end = table.special_id(props.text("eos_token", ""))
    sizes = [meta.whole(key) if meta.has(key) else None for key in ("n_params", "size", "n_embd")]
    info = ModelInfo(
        id=address.text,
        name=short_name(name),
        revision=f"{address.text}:{short_name(name)}:{sizes}:{facts.version}",
        architecture=None,
        parameters=sizes[0],
        weights_bytes=sizes[1],
        device=None,
        dtype=meta.text("ftype") if meta.has("ftype") else None,
        vocab_size=size,
        context_length=max(1, props.child("default_generation_settings").whole("n_ctx")),
        layers=None,
        heads=None,
        kv_heads=None,
        head_dim=None,
        hidden_size=sizes[2],
        has_chat_template=bool(tokenizer.chat_template),
        eos_token_ids=() if end is None else (end,),
        server=facts,
        constraints=constraint_kinds(facts.kind),
    )
    codec = LlamaServerCodec(tokenizer, table, props.text("bos_token", ""), info)
    progress("The server is ready", 1.0)
    return LlamaCppEngine(client, info, codec, served)


def _tells_raw(client: ServerClient, size: int) -> bool:
    """Whether a strong bias and a temperature leave what is told as it is: then it is from before the samplers."""
    count = min(_PROBED, size)

    def row(settings: dict[str, object]) -> list[tuple[int, float]]:
        answer = ask_row(client, client.address.model, [0], count, settings=settings)
        entries = next(iter(answer.children("completion_probabilities")), Answer({}, client.address))
        ids, logprobs = listed_tokens(entries.items("top_logprobs"), size, client.address)
        return list(zip(ids.tolist(), logprobs.tolist(), strict=True))

    plain = row({})
    bent = row({"temperature": 2.0, "logit_bias": [[plain[0][0], -50.0]]} if plain else {})
    return _close(plain, bent)


def _close(a: list[tuple[int, float]], b: list[tuple[int, float]]) -> bool:
    return {i for i, _ in a} == {i for i, _ in b} and all(abs(v - dict(b)[i]) < 0.05 for i, v in a)
