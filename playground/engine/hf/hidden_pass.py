"""The logit lens: what each layer would answer if the model ended there.

A layer's hidden state goes through whatever the model itself does after its last layer (the final norm, the head, and
a cap on the logits where it has one), once and never twice. Method: nostalgebraist, "Interpreting GPT: the logit
lens" (2020); the divergence from the last layer as in Belrose et al. 2023 (2303.08112).

Works on any decoder whose layers stand in one list: the states are caught at the layers' hooks, and the model's own
``forward`` turns them into logits, so no architecture's head is written down here. Runs on the engine's thread; knows
no text. Nothing of the size layers × positions × vocabulary is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from playground.engine.api import CancelToken
from playground.engine.hf.runner import ModelRunner
from playground.engine.hf.state import DecoderState
from playground.engine.types import LENS_TOP, LensRows, TokenIds
from playground.errors import CapabilityMissing
from playground.numerics import entropy_rows, rank_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LOGITS_BYTES = 16 * 1024 * 1024  # logits worked on at once, in float32; some six times that in all
_MOST_POSITIONS = 16  # between two looks at the cancel flag, and between two turns of other sessions
_NO_TOKEN = -1
_LEAST = -1e30  # in place of minus infinity, which times zero would be no number


@dataclass(slots=True)
class _HookPoints:
    """Where a model's states can be captured: the module that holds the layers, and the layers."""

    container: nn.Module
    layers: nn.ModuleList


@dataclass(slots=True)
class _Captured:
    """What passed during one forward pass: a state (batch, T, d) before and after each layer, what followed, and
    the container's own answer."""

    states: list[torch.Tensor] = field(default_factory=list)
    closing: list[nn.Module] = field(default_factory=list)
    answer: Any = None


def run_lens(
    runner: ModelRunner, ids: TokenIds, positions: range, follow: Sequence[int], cancel: CancelToken
) -> Iterator[LensRows | None]:
    """See ``Engine.lens``. What stands before in pieces, one forward pass, then some positions of all depths a step."""
    hooks = find_hook_points(runner.loaded.model, runner.info.name)
    state: DecoderState | None = None
    if runner.keeps_state and runner.can_split(positions.start, positions.stop):
        if positions.start:  # as usual, from known prefixes where there are any
            _row, _computed, prefix_state = yield from runner.run_in_pieces(
                ids[: positions.start], cancel, positions.stop
            )
            state = None if prefix_state is None else prefix_state.fork(positions.start)
            yield None
        else:
            state = runner.empty_state()
    with runner.running(len(ids)):
        captured, own = _forward(
            runner, hooks, ids, positions, state, cancel
        )  # own: (P, vocab), the model's own logits
    step = max(1, min(_MOST_POSITIONS, _LOGITS_BYTES // (4 * runner.info.vocab_size)))
    for begin in range(0, len(positions), step):
        cancel.check()
        part = positions[begin : begin + step]
        with runner.running(len(ids)):
            rows = _examine(runner, hooks, captured, own, begin, part, ids, follow, cancel)
        yield rows


def find_hook_points(model: PreTrainedModel, name: str) -> _HookPoints:
    """The list of layers and its owner. Raises CapabilityMissing where there is no such list."""
    count = int(getattr(model.config.get_text_config(), "num_hidden_layers", 0) or 0)
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    for root in (decoder, model):  # some models call their head a decoder
        for module in root.modules() if isinstance(root, nn.Module) else ():
            for child in module.children():
                if isinstance(child, nn.ModuleList) and count and len(child) == count:
                    return _HookPoints(module, child)
    raise CapabilityMissing(
        f"The {count} layers of {name} are not one list that is gone through once, so its hidden states cannot be read: "
        "choose another model."
    )


def _forward(
    runner: ModelRunner,
    hooks: _HookPoints,
    ids: TokenIds,
    positions: range,
    state: DecoderState | None,
    cancel: CancelToken,
) -> tuple[_Captured, torch.Tensor]:
    """Run the model up to the last position; the states and the model's own logits (P, vocab) at ``positions``.

    ``state`` holds what stands before them; None where the whole text must be read in one pass.
    Where more positions must be run than are looked at (a model without a state), only the last one's logits are
    asked for, and the others are NaN.
    """
    first, end = positions.start, positions.stop
    cancel.check()
    begin = first if state is not None else 0
    with _capturing(hooks) as captured:
        logits = runner.forward([ids[begin:end]], state, last_row=begin < first)[0]  # (end - begin or 1, vocab)
    if state is not None:
        runner.store_prefix(ids[:end], state)
    captured.states = [states[0, first - begin :] for states in captured.states]  # each (P, d)
    own = torch.full((len(positions), logits.shape[-1]), torch.nan, device=logits.device)
    rows = min(len(logits), len(positions))
    own[-rows:] = logits[-rows:].float()
    return captured, own


@contextmanager
def _capturing(hooks: _HookPoints) -> Iterator[_Captured]:
    """Note every layer's state while the block runs, and which modules run after the last layer."""
    captured = _Captured()
    depth = len(hooks.layers)

    def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        captured.states.append(args[0] if args else kwargs["hidden_states"])

    def after(_module: nn.Module, _args: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        captured.states.append(output[0] if isinstance(output, tuple | list) else output)

    def closes(module: nn.Module, _args: object, _output: object) -> None:
        if len(captured.states) > depth:
            captured.closing.append(module)

    def answers(_module: nn.Module, _args: object, output: object) -> None:
        captured.answer = output

    handles = [hooks.layers[0].register_forward_pre_hook(before, with_kwargs=True)]
    handles += [layer.register_forward_hook(after) for layer in hooks.layers]
    handles += [
        child.register_forward_hook(closes) for child in hooks.container.children() if child is not hooks.layers
    ]
    handles.append(hooks.container.register_forward_hook(answers))
    try:
        yield captured
    finally:
        for handle in handles:
            handle.remove()


def _logits_of(model: PreTrainedModel, hooks: _HookPoints, captured: _Captured, state: torch.Tensor) -> torch.Tensor:
    """The model's own way from the state after a layer, (n, d), to logits (n, vocab), in float32."""
    for module in captured.closing:
        state = module(state)
    answer = type(captured.answer)(last_hidden_state=state[None])
    with _stub_forward(hooks.container, answer):
        ids = torch.zeros((1, state.shape[0]), dtype=torch.long, device=state.device)  # read by nobody
        logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits[0]
    return logits.float()


@contextmanager
def _stub_forward(container: nn.Module, answer: object) -> Iterator[None]:
    """Let the layers' container return ``answer`` instead of running."""
    before: Callable[..., Any] | None = container.__dict__.get("forward")
    container.forward = lambda *args, **kwargs: answer
    try:
        yield
    finally:
        if before is None:
            del container.forward
        else:
            container.forward = before


def _examine(
    runner: ModelRunner,
    hooks: _HookPoints,
    captured: _Captured,
    own: torch.Tensor,
    begin: int,
    part: range,
    ids: TokenIds,
    follow: Sequence[int],
    cancel: CancelToken,
) -> LensRows:
    """All depths at the positions ``part``, from the last depth, which the others are compared with, to the first."""
    model, vocab = runner.loaded.model, own.shape[-1]
    span = slice(begin, begin + len(part))
    states = torch.stack([state[span] for state in captured.states]).flip(0)  # (D, n, d), the last depth first
    at_once = max(1, _LOGITS_BYTES // (4 * vocab * len(part)))
    last, followed, gap = own[span], torch.empty(0), 0.0
    measured: list[tuple[np.ndarray[Any, Any], ...]] = []
    for first in range(0, len(states), at_once):
        cancel.check()
        some = states[first : first + at_once]  # (g, n, d)
        try:
            flat = _logits_of(model, hooks, captured, some.flatten(0, 1))
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise _no_lens(runner) from error  # its way to an answer takes more than the last layer's state
        if flat.shape != (some.shape[0] * some.shape[1], vocab):
            raise _no_lens(runner)
        logits = flat.view(*some.shape[:2], -1)  # (g, n, vocab)
        if not measured:
            gap = float((logits[0] - last).abs().nan_to_num(0.0).max())
            _require_own_answer(runner, gap, float(last.abs().nan_to_num(0.0).max()))
            followed = _followed(logits[0], part, ids, follow)
            last = torch.log_softmax(logits[0], dim=-1)
        measured.append(_measure(torch.log_softmax(logits, dim=-1), last, followed))
    top_ids, top, entropies, divergences, ranks, logprobs_of = (
        np.concatenate(column)[::-1] for column in zip(*measured, strict=True)
    )
    return LensRows(
        first=part.start,
        top_ids=top_ids,
        top_logprobs=top,
        entropies=entropies,
        divergences=divergences,
        followed=followed.cpu().numpy().astype(np.int32),
        ranks=ranks,
        logprobs=logprobs_of,
        head_gap=gap,
    )


def _require_own_answer(runner: ModelRunner, gap: float, largest: float) -> None:
    """Raises CapabilityMissing where the last layer's state does not lead to the model's own logits."""
    allowed = 1e-3 if runner.loaded.model.dtype == torch.float32 else 6e-2
    if gap > allowed * max(largest, 1.0):
        raise _no_lens(runner)


def _no_lens(runner: ModelRunner) -> CapabilityMissing:
    return CapabilityMissing(
        f"{runner.info.name} ({runner.info.architecture}) does more after its layers than a norm and a head, so what "
        "they would answer cannot be told: choose another model."
    )


def _followed(logits: torch.Tensor, part: range, ids: TokenIds, follow: Sequence[int]) -> torch.Tensor:
    """(n, LENS_TOP + 1 + F): the model's likeliest tokens, the token that really comes next, and those asked for."""
    best = logits.topk(min(LENS_TOP, logits.shape[-1]), dim=-1).indices  # (n, K)
    coming = [ids[place + 1] if place + 1 < len(ids) else _NO_TOKEN for place in part]
    asked = [[token, *follow] for token in coming]
    return torch.cat([best, torch.tensor(asked, device=best.device)], dim=-1)


def _measure(logprobs: torch.Tensor, last: torch.Tensor, followed: torch.Tensor) -> tuple[np.ndarray[Any, Any], ...]:
    """Of some depths' log-probabilities (g, n, vocab): top tokens, entropy, KL(last ‖ depth), and the followed tokens.

    ``last``: (n, vocab) log-probabilities of the last depth; ``followed``: (n, F) ids, -1 for none.
    """
    logprobs = logprobs.clamp(min=_LEAST)
    top = logprobs.topk(min(LENS_TOP, logprobs.shape[-1]), dim=-1)
    weights = last.exp()
    entropies = entropy_rows(logprobs.flatten(0, 1)).view(logprobs.shape[:2])
    divergences = torch.einsum("nv,gnv->gn", weights, last.clamp(min=_LEAST) - logprobs).clamp(min=0)
    values = (top.indices.int(), top.values, entropies, divergences)
    return (*(value.cpu().numpy() for value in values), *_follow(logprobs.cpu().numpy(), followed.cpu().numpy()))


def _follow(
    logprobs: np.ndarray[Any, Any], followed: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rank and log-probability (g, n, F) of the ids ``followed`` (n, F) in ``logprobs`` (g, n, vocab).

    In NumPy, which counts a row's comparisons many times faster than torch sums them.
    """
    shape = (*logprobs.shape[:2], followed.shape[1])
    ranks, chosen = np.full(shape, _NO_TOKEN, dtype=np.int32), np.full(shape, np.nan, dtype=np.float32)
    for depth, place, column in np.ndindex(shape):
        token, row = followed[place, column], logprobs[depth, place]
        if token >= 0:
            chosen[depth, place, column], ranks[depth, place, column] = row[token], rank_of(row, int(token))
    return ranks, chosen
