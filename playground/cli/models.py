"""``python -m playground models``: what can be loaded here, where it would run, and the memory it needs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from playground.cli import options, output

if TYPE_CHECKING:
    from playground.models.adapters import Adapter
    from playground.models.listing import ModelListing


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser("models", parents=[common], help="what can be loaded here", allow_abbrev=False)
    parser.add_argument("--device", help="estimate for this device: cpu, cuda, mps (default: the best one here)")
    parser.add_argument("--dtype", help="estimate for float32, bfloat16 or float16 (default: what suits the device)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the models and print them. Reads headers and folder listings, never weights."""
    from playground.models.adapter_files import list_adapters
    from playground.models.listing import list_models
    from playground.store.records import LOCAL

    listings, adapters = list_models(device=args.device, dtype=args.dtype), list_adapters(LOCAL)
    if args.json:
        output.print_json({"models": [asdict(one) for one in listings], "adapters": [_fields(one) for one in adapters]})
    else:
        _print_readable(listings)
        _print_adapters(adapters)
    return 0


def _fields(adapter: Adapter) -> dict[str, Any]:
    return {
        "id": adapter.id,
        "name": adapter.name,
        "base": adapter.base,
        "rank": adapter.rank,
        "targets": list(adapter.targets),
        "parameters": adapter.parameters,
        "folder": str(adapter.folder),
    }


def _print_adapters(adapters: tuple[Adapter, ...]) -> None:
    """Those kept on this machine, for ``--adapter``; nothing without any."""
    if adapters:
        print()
        rows = [(one.id, one.name, one.base, str(one.rank), f"{one.parameters:,}") for one in adapters]
        output.print_table(("adapter", "name", "trained on", "rank", "parameters"), rows)


def _print_readable(listings: tuple[ModelListing, ...]) -> None:
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
        for listing in listings
    ]
    output.print_table(head, rows)
