"""``python -m playground filter``: documents held against the filters that web text is cleaned with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.corpus.measuring import Measured
    from playground.corpus.verdicts import Verdicts

TOLD_EVERY = 500  # documents


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "filter", parents=[common], help="documents under the filters of web text", allow_abbrev=False
    )
    parser.add_argument(
        "--text-file",
        metavar="F",
        help="TXT (one document), JSON lines with text and perhaps id, CSV with a column text, WARC or WET; each also as gz; "
        "without it the sample that ships",
    )
    parser.add_argument(
        "--rule",
        action="append",
        metavar="NAME[:THRESHOLD]",
        help="one rule, or a group of them, alone or beside --rules; repeatable",
    )
    parser.add_argument(
        "--rules",
        metavar="GROUPS",
        help="groups with commas (default: c4,gopher-quality,gopher-repetition,fineweb,language,duplicates)",
    )
    parser.add_argument("--language", default="en", help="the wanted language, a code of ISO 639-1 (default: en)")
    parser.add_argument("--blocked-words", metavar="F", help="a file with the words to block, one a line")
    options.add_model_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the documents, judge them and print what comes of it."""
    from playground.corpus.rules import RULES, USUAL, read_rule, rules_of
    from playground.corpus.verdicts import judge

    groups = [part.strip() for part in (args.rules or "").split(",") if part.strip()]
    if args.rules is not None and not groups:
        raise BadInput("--rules names no group.", "rules")
    names = rules_of(groups or (() if args.rule else USUAL))
    dials = {name: RULES[name].threshold for name in names}
    for given in args.rule or ():
        dials |= read_rule(given)
    measured = _measured(args, dials)
    result = _result(measured, judge(measured.values, dials))
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result, dials)
    return 0


def _measured(args: argparse.Namespace, dials: dict[str, float]) -> Measured:
    from playground.corpus.language_id import supported_languages
    from playground.corpus.measuring import BLOCKED, measure
    from playground.corpus.rules import GROUP_OF
    from playground.corpus.sample import open_documents

    groups = tuple({GROUP_OF[name] for name in dials})
    if "language" in groups and args.language not in supported_languages():
        raise BadInput(f"--language: py3langid knows no language {args.language[:20]!r}; give a code such as en or hi.")
    blocked: tuple[str, ...] = BLOCKED
    if args.blocked_words is not None:
        blocked = tuple(options.read_text_file(args.blocked_words, "--blocked-words").splitlines())
    with open_documents(args.text_file) as documents:
        steps = measure(
            documents, groups=groups, language=args.language, blocked=blocked, notes=lambda: documents.notes
        )
        measured = _finish(steps)
    if "perplexity" in groups:
        _read_by_model(args, measured)
    return measured


def _finish(steps: Generator[int, None, Measured]) -> Measured:
    """Run it to the end; on a terminal stderr is told how far it is."""
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            measured: Measured = end.value
            return measured
        if done % TOLD_EVERY == 0 and sys.stderr.isatty():
            print(f"\r{done:,} documents", end="", file=sys.stderr, flush=True)


def _read_by_model(args: argparse.Namespace, measured: Measured) -> None:
    from playground.corpus.surprise import surprises

    engine, column = options.open_engine(args), measured.column("perplexity")
    for surprise in surprises(engine, measured, range(len(measured))):
        if surprise is not None:
            column[surprise.document] = surprise.perplexity


def _result(measured: Measured, verdicts: Verdicts) -> dict[str, Any]:
    """A value that a document does not have is left out of its ``values``."""
    kept = verdicts.kept
    columns = {name: measured.column(name) for name in verdicts.rules}

    def documents() -> Iterator[dict[str, Any]]:
        for number, own in enumerate(measured.ids):
            values = {name: output.finite(float(column[number])) for name, column in columns.items()}
            yield {
                "id": own,
                "kept": bool(kept[number]),
                "values": {name: value for name, value in values.items() if value is not None},
                "failed": list(verdicts.failed_by(number)),
            }

    return {
        "documents": list(documents()),
        "kept": int(kept.sum()),
        "removed_by": verdicts.removed_by,
        "removed_only_by": verdicts.only_by,
        "kept_bytes": int(measured.sizes[kept].sum()),
        "bytes": int(measured.sizes.sum()),
        "notes": list(measured.notes),
    }


def _print_readable(result: dict[str, Any], dials: dict[str, float]) -> None:
    from playground.corpus.rules import RULES, number

    rows = [
        (str(each["id"])[:40], "kept" if each["kept"] else "removed", ", ".join(each["failed"]))
        for each in result["documents"]
    ]
    output.print_table(("document", "", "rules it fails"), rows)
    total = len(rows)
    print(f"\n{result['kept']:,} of {total:,} kept, {result['kept_bytes']:,} of {result['bytes']:,} bytes")
    output.print_table(
        ("rule", "fails when", "removes", "alone"),
        [
            (name, f"{RULES[name].fails} {number(dials[name])}", f"{count:,}", f"{result['removed_only_by'][name]:,}")
            for name, count in result["removed_by"].items()
            if count
        ],
    )
    for note in result["notes"]:
        print(note)
