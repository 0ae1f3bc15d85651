"""``python -m playground votes fit``: strengths out of a file of votes, with what they can and cannot say. Loads no model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from playground.cli import options, output

if TYPE_CHECKING:
    from playground.preferences.strengths import Strengths
    from playground.preferences.votes import Vote

MOST_PAIRS = 100  # of more pairs than this nobody reads what each needs


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser("votes", help="strengths of what people voted on")
    inner = parser.add_subparsers(dest="votes_command", required=True, metavar="COMMAND")
    fit = inner.add_parser(
        "fit", parents=[common], help="Bradley-Terry strengths with ties out of a CSV file", allow_abbrev=False
    )
    fit.add_argument(
        "--file", required=True, metavar="F.csv", help="columns left, right, winner; voter, group, subject"
    )
    fit.add_argument("--seed", default="0", help="of the bootstrap over voters, from 0 to 2^32 - 1 (default: 0)")
    fit.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit the file's votes and print what they say."""
    from playground.preferences.strengths import fit_strengths
    from playground.preferences.votes_file import read_votes

    seed = options.read_seed_option(args)
    votes, read_notes = read_votes(options.read_file(args.file, "--file"))
    fitted = fit_strengths(votes, over_voters=True, seed=seed)
    result = _result(votes, fitted, read_notes)
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result)
    return 0


def _result(votes: Sequence[Vote], fitted: Strengths, read_notes: Sequence[str]) -> dict[str, Any]:
    from dataclasses import asdict

    from playground.preferences.agreement import measure_agreement
    from playground.preferences.judges import measure_position_bias
    from playground.preferences.settling import METHOD, judge_pairs
    from playground.preferences.strengths import strengths_by_group

    biases = [bias for bias in measure_position_bias(votes) if bias.voter]
    pairs = len({vote.pair for vote in votes})
    notes = [*read_notes, *fitted.notes, *(bias.note for bias in biases if bias.note)]
    if pairs > MOST_PAIRS:
        notes.append(f"There are {pairs:,} pairs; what each still needs is listed for up to {MOST_PAIRS} only.")
    groups = strengths_by_group(votes)
    return {
        "items": [asdict(item) for item in fitted.items],
        "votes": fitted.votes,
        "agreement": asdict(measure_agreement(votes)),
        "tie": fitted.tie,
        "interval": fitted.interval,
        "level": fitted.level,
        "prior": fitted.prior,
        "pairs": [asdict(pair) for pair in judge_pairs(votes)] if pairs <= MOST_PAIRS else None,
        "pairs_method": METHOD,
        "judges": [{**asdict(bias), "biased": bias.biased} for bias in biases],
        "groups": {name: [asdict(item) for item in group.items] for name, group in groups.items()},
        "notes": notes,
    }


def _print_readable(result: dict[str, Any]) -> None:
    from playground.engine.text.display import glyphs

    ranked = sorted(result["items"], key=lambda item: -item["strength"])
    print(
        f"{result['votes']:,} votes; strengths on the natural-log scale, mean 0; {result['level']:.0%}: {result['interval']}"
    )
    _print_items(ranked)
    for name, items in result["groups"].items():
        print(f"\nthe votes of {name!r}")
        _print_items(sorted(items, key=lambda item: -item["strength"]))
    if result["pairs"]:
        print(f"\n{result['pairs_method']}")
        words = {"first": "the first is preferred", "second": "the second is preferred", "level": "level"}
        rows = [
            (
                *(pair["first"], pair["second"], f"{pair['wins']} : {pair['losses']}", str(pair["ties"])),
                f"{pair['low']:.3f} to {pair['high']:.3f}",
                words.get(pair["verdict"], "open"),
                "over 100,000" if pair["more"] is None else f"{pair['more']:,}",
            )
            for pair in result["pairs"]
        ]
        output.print_table(("first", "second", "votes", "ties", "share of the first", "verdict", "votes to go"), rows)
    agreement = result["agreement"]
    if agreement["share"] is not None:
        alpha = "undefined" if agreement["alpha"] is None else f"{agreement['alpha']:.3f}"
        print(
            f"\n{agreement['voters']} voters agree in {agreement['share']:.1%} of the pairs of voters on "
            f"{agreement['units']} comparisons; Krippendorff's alpha {alpha}"
        )
    for note in result["notes"]:
        print(glyphs(note))


def _print_items(items: Sequence[dict[str, Any]]) -> None:
    rows = [
        (
            *(item["name"], f"{item['strength']:.3f}", f"{item['low']:.3f} to {item['high']:.3f}"),
            *(str(item[count]) for count in ("wins", "losses", "ties")),
        )
        for item in items
    ]
    output.print_table(("name", "strength", "interval", "wins", "losses", "ties"), rows)
