"""``python -m playground attend``: every attention weight of a text, and what each head gives to its first token."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.engine.api import Engine, TextCodec
    from playground.engine.attention_data import AttentionPass

_MOST_POSITION = 10_000_000
_KEYS = 5  # of each query of the chosen head, the keys with the most weight


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "attend", parents=[common], help="the attention weights of a text", allow_abbrev=False
    )
    options.add_model_options(parser)
    options.add_whole_text_options(parser, "to look at")
    wanted = parser.add_argument_group("attention")
    wanted.add_argument("--layer", metavar="L", help="tell of this layer only, counted from 0")
    wanted.add_argument(
        "--head", metavar="H", help="tell of this head only, counted from 0; with --layer, query by query"
    )
    wanted.add_argument("--start", metavar="N", help="of a long text: the first token looked at (default: 0)")
    wanted.add_argument("--end", metavar="N", help="of a long text: the token after the last one looked at")
    wanted.add_argument(
        "--out", metavar="F.npz", help="write `attention` (layers, heads, query, key) and `ids` to this file"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run one pass, write the file, print the figures."""
    from playground.engine.api import Attention
    from playground.engine.facets import require

    text = options.read_whole_text(args, "to look at")
    layer = None if args.layer is None else options.read_number(args.layer, "--layer", 0, 9_999, 0)
    head = None if args.head is None else options.read_number(args.head, "--head", 0, 9_999, 0)
    start = options.read_number(args.start, "--start", 0, _MOST_POSITION, 0)
    end = None if args.end is None else options.read_number(args.end, "--end", 1, _MOST_POSITION, 1)
    engine = options.open_engine(args)
    attention = require(engine, Attention)
    codec = engine.codec
    ids = options.encode_whole_text(codec, args, text)
    attention_pass = attention.attentions(ids, start=start, end=end)
    result = _result(engine, attention_pass, layer, head)
    if args.out is not None:
        result["out"] = _write(args.out, attention_pass)
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result)
    return 0


def _result(engine: Engine, attention_pass: AttentionPass, layer: int | None, head: int | None) -> dict[str, Any]:
    """Shape, tokens, and each wanted head's figures; undefined ones are null."""
    from playground.inspection.attention import head_figures, layer_of

    codec = engine.codec
    if layer is not None:
        try:
            layer_of(attention_pass, layer)
        except BadInput as error:
            raise BadInput(f"--layer: {error}", "layer") from None
    figures = [
        figure
        for figure in head_figures(attention_pass)
        if layer in (None, figure.layer) and head in (None, figure.head)
    ]
    if not figures:
        heads = max(layer_attention.heads for layer_attention in attention_pass.layers)
        raise BadInput(f"--head: there is no head {head}; the heads are 0 to {heads - 1}.", "head")
    result: dict[str, Any] = {
        "model": engine.info.id,
        "ids": list(attention_pass.ids),
        "tokens": [
            _piece(codec, attention_pass.ids, place) for place in range(attention_pass.start, attention_pass.end)
        ],
        "start": attention_pass.start,
        "layers": len(attention_pass.layers),
        "heads": attention_pass.layers[0].heads,
        "kv_heads": attention_pass.layers[0].key_heads,
        "queries": attention_pass.width,
        "keys": attention_pass.width,
        "shape": [
            len(attention_pass.layers),
            attention_pass.layers[0].heads,
            attention_pass.width,
            attention_pass.width,
        ],
        "sinks": [
            {
                "layer": figure.layer,
                "head": figure.head,
                "sink_share": output.finite(figure.first),
                "previous": output.finite(figure.previous),
                "duplicate": output.finite(figure.duplicate),
                "induction": output.finite(figure.induction),
                "entropy": output.finite(figure.entropy),
                "distance": output.finite(figure.distance),
            }
            for figure in figures
        ],
    }
    if layer is not None and head is not None:
        result["rows"] = _rows(codec, attention_pass, layer, head)
    return result


def _piece(codec: TextCodec, ids: tuple[int, ...], place: int) -> str:
    from playground.inspection.next_token import CONTEXT_TAIL

    return codec.piece(ids[place], ids[max(0, place - CONTEXT_TAIL) : place])


def _rows(codec: TextCodec, attention_pass: AttentionPass, layer: int, head: int) -> list[dict[str, Any]]:
    """For each query of one head, the keys of the window it gives most to. Positions are those in the whole text."""
    import numpy as np

    from playground.inspection.attention import layer_of

    weights = layer_of(attention_pass, layer).weights[head]  # (query, key)
    rows = []
    for query in range(attention_pass.width):
        best = np.argsort(-weights[query, : query + 1], kind="stable")[:_KEYS]
        keys = [
            {"position": place, "text": _piece(codec, attention_pass.ids, place), "weight": float(weights[query, key])}
            for key, place in ((int(key), attention_pass.start + int(key)) for key in best)
        ]
        place = attention_pass.start + query
        rows.append({"query": place, "text": _piece(codec, attention_pass.ids, place), "keys": keys})
    return rows


def _write(name: str, attention_pass: AttentionPass) -> str:
    """The file, written whole or not at all. Raises BadInput."""
    from playground.inspection.attention_file import attention_npz

    path = Path(name)
    if path.suffix != ".npz":
        raise BadInput(f"--out: {name[:80]!r} must end in .npz, the format it is written in.", "out")
    try:
        path.write_bytes(attention_npz(attention_pass))
    except OSError as error:
        raise BadInput(f"--out: {name[:80]!r} cannot be written ({error.strerror or error}).", "out") from None
    return str(path)


def _print_readable(result: dict[str, Any]) -> None:
    from playground.charts.numbers import percent

    def share(value: float | None) -> str:
        return "undefined" if value is None else percent(value)

    layers, heads, queries, keys = result["shape"]
    shared = "" if result["kv_heads"] == heads else f" ({result['kv_heads']} key-value heads)"
    print(f"{layers} layers, {heads} heads{shared}, {queries} queries by {keys} keys")
    output.print_table(
        ("layer", "head", "first token", "previous", "duplicate", "induction", "entropy", "distance"),
        (
            (
                str(row["layer"]),
                str(row["head"]),
                *(share(row[name]) for name in ("sink_share", "previous", "duplicate", "induction")),
                *("undefined" if row[name] is None else f"{row[name]:.3f}" for name in ("entropy", "distance")),
            )
            for row in result["sinks"]
        ),
    )
    if "rows" in result:
        print()
        output.print_table(
            ("query", "token", "attends to"),
            (
                (
                    str(row["query"]),
                    row["text"],
                    ", ".join(f"{key['position']} {key['text']!r} {percent(key['weight'])}" for key in row["keys"]),
                )
                for row in result["rows"]
            ),
        )
    if "out" in result:
        print(f"written: {result['out']}")
