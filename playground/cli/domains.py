"""``python -m playground domains``: bits per byte of texts of different domains under a model."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from playground.cli import options, output

if TYPE_CHECKING:
    from playground.corpus.bits import TextBits


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "domains", parents=[common], help="bits per byte of texts of different domains", allow_abbrev=False
    )
    options.add_model_options(parser)
    parser.add_argument("--text-file", help="JSON lines of domain and text (default: the twelve that ship)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the texts and print."""
    from playground.corpus.bits import bits_job, within_text
    from playground.corpus.domains import OwnTexts, read_domains, samples
    from playground.engine.api import CancelToken

    own = OwnTexts(samples())
    if args.text_file is not None:
        own = read_domains(options.read_file(args.text_file, "--text-file"))
    texts, notes = own.texts, own.notes
    engine = options.open_engine(args)
    steps = bits_job([each.text for each in texts])(engine, CancelToken())
    text_bits = output.run_counted(steps, len(texts), shown=sys.stderr.isatty())
    rows = []
    for each, bits in zip(texts, text_bits, strict=True):
        interval = within_text(bits)
        rows.append(
            {
                "domain": each.domain,
                "bits_per_byte": output.finite(interval.value),
                "low": output.finite(interval.low),
                "high": output.finite(interval.high),
                "tokens": len(bits.ids),
                "bytes": len(each.text.encode()),
                "bits_per_token": output.finite(bits.per_token),
            }
        )
    if args.json:
        output.print_json({"model": engine.info.id, "notes": list(notes), "domains": rows})
        return 0
    output.print_table(
        ("domain", "bits/byte", "95% interval", "bits/token", "bytes/token", "tokens", "bytes"),
        [
            (
                each.domain,
                *_figures(bits),
                str(len(bits.ids)),
                str(len(each.text.encode())),
            )
            for each, bits in sorted(
                zip(texts, text_bits, strict=True), key=lambda pair: (not pair[1].tokens, pair[1].per_byte)
            )
        ],
    )
    for note in notes:
        print(note)
    return 0


def _figures(bits: TextBits) -> tuple[str, ...]:
    """Bits a byte, their interval, bits a token, bytes a token; dashes of a text that is a single token."""
    from playground.corpus.bits import within_text

    if not bits.tokens:
        return ("-",) * 4
    interval = within_text(bits)
    return (
        f"{interval.value:.3f}",
        f"{interval.low:.3f} to {interval.high:.3f}",
        f"{bits.per_token:.2f}",
        f"{bits.bytes / bits.tokens:.2f}",
    )
