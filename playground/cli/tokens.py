"""``python -m playground tokens``: one text under many tokenizers."""

from __future__ import annotations

import argparse

from playground.cli import options, output


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "tokens", parents=[common], help="one text as many tokenizers cut it", allow_abbrev=False
    )
    add_tokenizer_option(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--text", help="the text to cut")
    source.add_argument("--text-file", help="a UTF-8 file with the text")
    parser.set_defaults(run=run)


def add_tokenizer_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tokenizer",
        action="append",
        metavar="NAME",
        help="a packaged one by name, a folder, a tokenizer.json or a hub id; repeatable; all (the default): those that are here",
    )


def run(args: argparse.Namespace) -> int:
    """Cut the text and print it."""
    from playground.charts.tokenizer_strips import piece_tokens, strip_line
    from playground.corpus.tokenizers import open_all, wanted
    from playground.engine.text.display import without_isolates

    text = options.read_given_text(args, "to cut")
    rows, lines = [], []
    for tokenizer in open_all(wanted(args.tokenizer)):
        pieces, facts = tokenizer.pieces(text), tokenizer.facts
        shown = [without_isolates(token.text) for token in piece_tokens(pieces, len(pieces))]
        rows.append(
            {
                "name": facts.name,
                "licence": facts.licence,
                "vocab_size": facts.vocab_size,
                "tokens": len(pieces),
                "ids": [piece.id for piece in pieces],
                "pieces": shown,
                "kinds": [piece.kind for piece in pieces],
            }
        )
        lines.append((facts.name, strip_line(pieces, text), "|".join(shown)))
    if args.json:
        output.print_json({"bytes": len(text.encode()), "characters": len(text), "tokenizers": rows})
        return 0
    output.print_table(("tokenizer", "what", "pieces"), lines)
    return 0
