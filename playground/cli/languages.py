"""``python -m playground languages``: tokens of one text in many languages, against a baseline."""

from __future__ import annotations

import argparse

from playground.cli import options, output
from playground.cli.tokens import add_tokenizer_option


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "languages",
        parents=[common],
        help="the same text in many languages, tokens against English",
        allow_abbrev=False,
    )
    add_tokenizer_option(parser)
    parser.add_argument(
        "--text-file",
        help="JSON lines of language, key and text (default: the declaration of human rights, 78 languages)",
    )
    parser.add_argument(
        "--baseline", default="eng", help="the language that the others are held against (default: eng)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Count and print."""
    from playground.charts.language_pictures import premium_text
    from playground.corpus.counting import STORE, language_counts
    from playground.corpus.parallel import declaration, read_parallel
    from playground.corpus.tokenizers import open_all, wanted

    if args.text_file is None:
        text = declaration()
    else:
        text = read_parallel(options.read_file(args.text_file, "--text-file"), args.baseline)
    text = text.with_baseline(args.baseline) if args.baseline != text.baseline else text
    opened = open_all(wanted(args.tokenizer))
    names = [each.facts.name for each in opened]
    counts = language_counts(text, {each.facts.name: STORE.count(text, each) for each in opened})
    if args.json:
        rows = [
            {
                "language": each.text.code,
                "name": each.text.name,
                "script": each.text.script,
                "bytes": each.bytes,
                "characters": each.characters,
                "tokens": dict(each.tokens),
                "premium": {name: each.premium(name) for name in names},
            }
            for each in counts
        ]
        output.print_json(
            {"baseline": text.baseline, "source": text.source, "notes": list(text.notes), "languages": rows}
        )
        return 0
    output.print_table(
        ("language", "script", "characters", "bytes", *names),
        [
            (
                each.text.name,
                each.text.script,
                f"{each.character_ratio:.2f}",
                f"{each.byte_ratio:.2f}",
                *(premium_text(each.premium(name)) for name in names),
            )
            for each in sorted(counts, key=lambda each: -each.premium(names[0]))
        ],
    )
    for note in text.notes:
        print(note)
    return 0
