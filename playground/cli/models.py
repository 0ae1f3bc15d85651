"""``python -m playground models``: what can be loaded here, where it would run, and the memory it needs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from playground.cli import options

if TYPE_CHECKING:
    from playground.models.listing import ModelListing


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser("models", parents=[common], help="what can be loaded here", allow_abbrev=False)
    parser.add_argument("--device", help="estimate for this device: cpu, cuda, mps (default: the best one here)")
    parser.add_argument("--dtype", help="estimate for float32, bfloat16 or float16 (default: what suits the device)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the models and print them. Reads headers and folder listings, never weights."""
    from playground.models.listing import list_models

    found = list_models(device=args.device, dtype=args.dtype)
    if args.json:
        options.print_json({"models": [asdict(listing) for listing in found]})
    else:
        _print_readable(found)
    return 0


def _print_readable(found: tuple[ModelListing, ...]) -> None:
    from playground.charts.numbers import gigabytes

    head = ("model", "here", "parameters", "device", "dtype", "memory needed", "licence")
    rows = [
        (
            listing.id,
            "yes" if listing.available else "on the hub",
            f"{listing.parameters / 1e6:,.0f} M",
            listing.device,
            listing.dtype,
            gigabytes(listing.memory_bytes),
            listing.license or "unknown",
        )
        for listing in found
    ]
    options.print_table(head, rows)
