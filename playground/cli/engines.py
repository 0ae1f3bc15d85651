"""``python -m playground engines``: which engines have which facet, and what a server is found to be."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from playground.cli import options, output

if TYPE_CHECKING:
    from playground.engine.api import Engine


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser("engines", parents=[common], help="what a server can be asked", allow_abbrev=False)
    parser.add_argument("--probe", metavar="URL", help="ask the server at http://host:port/v1[#model] what it can do")
    options.add_key_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask the server, or say what engines there are, and print."""
    from playground.engine.facets import FACETS

    if args.probe is None:
        if args.json:
            output.print_json({"facets": {facet.__name__: about for facet, about in FACETS.items()}})
        else:
            output.print_table(("facet", "where it is"), ((facet.__name__, about) for facet, about in FACETS.items()))
        return 0
    engine = _connected(args)
    try:
        result = _result(engine)
    finally:
        engine.close()
    if args.json:
        output.print_json(result)
    else:
        _print_readable(engine, result)
    return 0


def _connected(args: argparse.Namespace) -> Engine:
    from playground.engine.factory import make_engine
    from playground.errors import BadInput
    from playground.models.address import is_address

    if not is_address(args.probe.strip()):
        raise BadInput("--probe takes a server's address such as http://localhost:8080/v1.", "probe")
    return make_engine(args.probe.strip(), access=options.read_access(args))


def _result(engine: Engine) -> dict[str, Any]:
    """A facet is true, false or, for a row told in part, how many of its tokens are."""
    from playground.engine.api import NextTokens
    from playground.engine.facets import FACETS, offers

    info, facts = engine.info, engine.info.server
    assert facts is not None, "an address gives an engine with a server"
    facets: dict[str, bool | int] = {facet.__name__: offers(engine, facet) for facet in FACETS}
    if facets[NextTokens.__name__] and facts.row_tokens is not None:
        facets[NextTokens.__name__] = facts.row_tokens
    return {
        "kind": facts.kind,
        "version": facts.version,
        "models": list(facts.models),
        "model": info.name,
        "facets": facets,
        "constraints": list(info.constraints),
        "raw": facts.raw,
        "slots": facts.slots,
        "context_length": info.context_length,
        "vocab_size": info.vocab_size,
        "parameters": info.parameters,
    }


def _print_readable(engine: Engine, result: dict[str, Any]) -> None:
    from playground.engine.text.display import glyphs

    assert engine.info.server is not None
    print(glyphs(engine.info.server.sentence))
    output.print_table(("model", "context"), [(engine.info.name, f"{engine.info.context_length:,}")])
    words = {True: "yes", False: "no"}
    rows = (
        (name, words[value] if isinstance(value, bool) else f"{value:,} tokens")
        for name, value in result["facets"].items()
    )
    output.print_table(("facet", "offered"), rows)
