"""The token strip of a generated text: its colours, and what stands in each token's card."""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.charts.numbers import entropy, logprob, percent
from playground.charts.token_colours import TokenFigures, token_colours
from playground.charts.token_strip import StripToken
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import TokenIds
from playground.generation import Alternative, DrawnStep, TokenStep
from playground.generation.document import Prompt, Run, ids_before, pieces, step_pieces
from playground.generation.tree import Tree
from playground.sampling.registry import SAMPLERS

SHOWN_PROMPT = 300  # of a longer prompt the strip shows the end
CARD_ROWS = 7
_BRIEF_LINES = 2
DRAWN_BY_ENGINE = "the engine drew it; it tells no random number"
TABLE_HEAD = ("token", "id", "raw", "final", "removed by")


def prompt_tokens(prompt: Prompt, codec: TextCodec, scale: str) -> list[StripToken]:
    """The prompt's last tokens with their own surprisal."""
    first = max(0, len(prompt.ids) - SHOWN_PROMPT)
    texts = pieces(codec, prompt.ids[first:], prompt.ids[:first])
    return [
        _prompt_token(prompt, place, text, codec.is_special(prompt.ids[place]), scale)
        for place, text in enumerate(texts, first)
    ]


def _prompt_token(prompt: Prompt, place: int, text: str, special: bool, scale: str) -> StripToken:
    shown = glyphs(text)
    lines = [f"{shown}  ·  id {prompt.ids[place]}  ·  prompt"]
    ground = ink = ""
    value = prompt.logprobs[place] if prompt.logprobs else None
    rank = prompt.ranks[place] if prompt.ranks else None
    before = prompt.entropies[place] if prompt.entropies else None
    if place == 0:
        lines.append("surprisal not defined: nothing comes before the first token")
    elif value is None:
        lines.append("surprisal not computed")
    else:
        ground, ink = token_colours(scale, TokenFigures(value, rank, before))
        lines.append(f"surprisal {-value:.3f} nats ({-value / math.log(2):.3f} bits), raw {percent(math.exp(value))}")
        rank_text = "" if rank is None else f"rank {rank + 1:,}, "
        lines.append(f"{rank_text}entropy before it {'unknown' if before is None else entropy(before)}")
    kind = "special" if special else "prompt"
    return StripToken(shown, "", kind, tuple(lines), (), ground, ink, text.endswith("\n"))


class GrowingTokens:
    """The tokens of a text that is being written: what was made at the last look is not made again."""

    def __init__(self) -> None:
        self._of: object = None
        self._path: tuple[TokenStep, ...] = ()
        self._tokens: list[StripToken] = []

    def look(self, run: Run, tree: Tree, branch: int, codec: TextCodec, scale: str) -> list[StripToken]:
        """``path_tokens`` with brief cards, which grow with the path."""
        path = tree.path(branch)
        of = (run.prompt.ids, branch, scale, tree.hand_picked(branch), tree[branch].hidden_text)
        begin = len(self._path)
        if of != self._of or begin > len(path) or any(a is not b for a, b in zip(self._path, path, strict=False)):
            self._tokens, begin = [], 0
        self._tokens += path_tokens(run, tree, branch, codec, scale, brief=True, begin=begin)
        self._of, self._path = of, path
        return list(self._tokens)


def path_tokens(
    run: Run,
    tree: Tree,
    branch: int,
    codec: TextCodec,
    scale: str,
    *,
    brief: bool = False,
    parted: int | None = None,
    begin: int = 0,
) -> list[StripToken]:
    """The generated tokens of a branch's path from ``begin`` on. ``brief``: short cards, while tokens arrive."""
    path, picked = tree.path(branch), tree.hand_picked(branch)
    texts = step_pieces(codec, path[begin:], ids_before(run.prompt.ids, path, begin))
    cut = cut_from(path, tree[branch].hidden_text, codec)
    tokens = []
    for place, (step, text) in enumerate(zip(path[begin:], texts, strict=True), begin):
        kind = "step special" if step.id is not None and codec.is_special(step.id) else "step"
        kind += " picked" if place in picked else ""
        kind += " cut" if place >= cut else ""
        kind += " parted" if place == parted else ""
        shown = shown_text(text)
        lines = step_lines(step, shown, place in picked, place >= cut)[: _BRIEF_LINES if brief else None]
        before = ids_before(run.prompt.ids, path, place)
        ground, ink = token_colours(scale, TokenFigures(step.raw_logprob, step.rank, step.entropy))
        tokens.append(
            StripToken(
                text=shown,
                kind=kind,
                lines=tuple(lines),
                table=() if brief else alternatives_table(step, before, codec),
                background=ground,
                ink=ink,
                breaks=text.endswith("\n"),
            )
        )
    return tokens


def shown_text(text: str) -> str:
    """What a token adds, on screen. Nothing: the engine shows a character of several tokens where its last one comes."""
    return glyphs(text) if text else "…"


def step_lines(step: TokenStep, shown: str, picked: bool, cut: bool) -> list[str]:
    """A generated token's card, above its table."""
    name = "id not told" if step.id is None else f"id {step.id}"
    lines = [f"{shown}  ·  {name}  ·  token {step.index + 1}", _raw_line(step)]
    if isinstance(step, DrawnStep):
        lines.append(f"final {percent(step.prob)} of {step.kept:,} kept; entropy before it {entropy(step.entropy)}")
        lines.append(
            f"chosen by hand; the draw had u = {step.u:.6f}"
            if picked
            else f"u = {step.u:.6f} fell between {step.low:.6f} and {step.high:.6f}"
        )
    else:
        lines.append("chosen by hand" if picked else DRAWN_BY_ENGINE)
    return [*lines, "hidden by what ended the text"] if cut else lines


def _raw_line(step: TokenStep) -> str:
    if step.raw_logprob is None:
        return "log-probability not told by this engine"
    rank = "" if step.rank is None else f", rank {step.rank + 1:,}"
    return f"raw {percent(math.exp(step.raw_logprob))}, log-probability {logprob(step.raw_logprob)}{rank}"


def alternatives_table(step: TokenStep, before: TokenIds, codec: TextCodec) -> tuple[tuple[str, ...], ...]:
    """Head and rows: what else could have come. Where the engine sampled, the raw probabilities are all there is."""
    columns = len(TABLE_HEAD) if isinstance(step, DrawnStep) else TABLE_HEAD.index("raw") + 1
    rows = (_row(other, step.id, before, codec)[:columns] for other in step.top[:CARD_ROWS])
    return (TABLE_HEAD[:columns], *rows) if step.top else ()


def _row(other: Alternative, chosen: int | None, before: TokenIds, codec: TextCodec) -> tuple[str, ...]:
    mark = "▶ " if other.id == chosen else ""
    removed = SAMPLERS[other.removed_by].label if other.removed_by else ""
    final = "" if removed or other.prob is None else percent(other.prob)
    return (mark + glyphs(codec.piece(other.id, before)), str(other.id), percent(other.raw_prob), final, removed)


def cut_from(path: Sequence[TokenStep], hidden: str, codec: TextCodec) -> int:
    """The first place whose token holds hidden text; past the end where nothing is hidden."""
    left, place = len(hidden.encode("utf-8", "replace")), len(path)
    while left > 0 and place > 0:
        place -= 1
        token = path[place].id
        if token is None:
            spelt = (path[place].text or "").encode("utf-8", "replace")
        else:
            spelt = codec.decode((token,)).encode() if codec.is_special(token) else codec.token_bytes(token)
        left -= len(spelt)
    return place
