"""``python -m playground best-of-n``: N answers to one prompt, every rule's ranking, and a vote."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from playground.cli import options, output
from playground.cli.best_of_n_request import add_request_options, read_request
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.testtime.generate import CandidateRun
    from playground.testtime.request import BestOfNRequest
    from playground.testtime.types import ScoredCandidates, ScorerSpec

_REASONS = {"stop_id": "stop"}  # as in ``generate``


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    about = "N answers to one prompt, ranked by every rule"
    parser = subparsers.add_parser("best-of-n", parents=[common], help=about, allow_abbrev=False)
    options.add_model_options(parser)
    options.add_text_options(parser, several_systems=True)
    options.add_sampler_options(parser)
    add_request_options(parser)
    parser.add_argument(
        "--scorer",
        action="append",
        metavar="NAME[:ARG]",
        help="a rule to rank by; may be repeated; ARG as @FILE is read from the file; NAME list tells them all "
        "(default: those that need only log-probabilities, and with --reference one that compares)",
    )
    parser.add_argument("--answer-pattern", metavar="REGEX", help="how an answer is found in a text, for the vote")
    parser.add_argument("--reference", metavar="TEXT", help="the right answer, for the rules that compare with it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Generate, score, rank and print."""
    if args.scorer == ["list"]:
        return _list_scorers(args.json)
    specs = _read_scorers(args)
    request = read_request(args)  # refuse what is no good before a model is loaded
    engine = options.open_engine(args)
    options.refuse_unknown_biases(request.settings, engine.info.vocab_size)
    if request.beams:
        _check_beams(engine, request)
    done = _generate(engine, request)
    started = time.perf_counter()
    scored = _score(engine, done, specs, request)
    result = _result(engine, request, done, scored, list(specs), time.perf_counter() - started)
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result)
    return 0


def _read_scorers(args: argparse.Namespace) -> dict[str, ScorerSpec]:
    """What was typed and the scorer it names, each once. A refusal names the flag."""
    from playground.testtime.registry import LOGPROB_SCORERS, kind_of, parse_spec

    if not args.scorer:
        specs = {spec.label: spec for spec in LOGPROB_SCORERS}
        if (args.reference or "").strip():
            name = "mentions" if args.answer_pattern is None else "exact"
            specs[name] = parse_spec(name)
        return specs
    specs = {}
    for typed in args.scorer:
        name, colon, argument = typed.partition(":")
        if argument.startswith("@"):
            argument = options.read_text_file(argument[1:], "--scorer")
        try:
            spec = parse_spec(name + colon + argument)
        except BadInput as error:
            raise BadInput(f"--{error}", "scorer") from None
        if kind_of(spec).needs_reference and not (args.reference or "").strip():
            raise BadInput(f"--scorer {spec.name} compares with the right answer: give --reference TEXT.", "reference")
        specs[typed] = spec
    return specs


def _check_beams(engine: Engine, request: BestOfNRequest) -> None:
    """Raise BadInput that names the flag for more beams than fit into memory."""
    from playground.testtime.beam import check_beams
    from playground.testtime.request import candidate_request

    try:
        check_beams(engine, candidate_request(request, engine.codec).rows()[0], request.beam_settings())
    except BadInput as error:
        raise BadInput(f"--{error}" if error.field == "beams" else str(error), error.field) from None


def _generate(engine: Engine, request: BestOfNRequest) -> CandidateRun:
    """Run to the end; stderr tells how far it is, where it is a terminal."""
    from playground.testtime.events import BatchStep
    from playground.testtime.recorder import RunRecorder, recorded_run

    steps, finished, tokens = recorded_run(engine, request, RunRecorder()), 0, 0
    shows = sys.stderr.isatty()
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            if shows:
                print(file=sys.stderr)
            done: CandidateRun = end.value
            return done
        if isinstance(event, BatchStep):
            finished += len(event.finished)
            tokens += event.rows
        if shows:
            said = f"\r{finished:,} of {request.n + request.beams:,} answers, {tokens:,} tokens"
            print(said, end="", file=sys.stderr, flush=True)


def _score(
    engine: Engine, done: CandidateRun, specs: dict[str, ScorerSpec], request: BestOfNRequest
) -> ScoredCandidates:
    from playground.testtime.answers import extract_answers
    from playground.testtime.registry import kind_of
    from playground.testtime.running import score_now
    from playground.testtime.scoring import ScoringContext
    from playground.testtime.types import ScoredCandidates

    context = ScoringContext(request.prompt, request.reference or None, request.answer_pattern or None, engine)
    columns = score_now(done.candidates, list(specs.values()), context)
    unusable = [column for column in columns if column.problem and not kind_of(column.spec).reads]
    if unusable:
        raise BadInput(f"--scorer {unusable[0].spec.name}: {unusable[0].problem}", "scorer")
    answers: tuple[str | None, ...] = ()
    if request.answer_pattern:
        extracted = extract_answers([candidate.text for candidate in done.candidates], request.answer_pattern)
        answers = tuple(answer.key for answer in extracted)
    return ScoredCandidates(done.candidates, columns, answers)


def _result(
    engine: Engine,
    request: BestOfNRequest,
    done: CandidateRun,
    scored: ScoredCandidates,
    typed: list[str],
    scoring_s: float,
) -> dict[str, Any]:
    from playground.testtime.export import rows
    from playground.testtime.ranking import rank_all
    from playground.testtime.voting import count_votes

    names = {column.label: name for column, name in zip(scored.columns, typed, strict=True)}
    candidates = []
    for row in rows(scored):
        row["finish_reason"] = _REASONS.get(row["finish_reason"], row["finish_reason"])
        row["scores"] = {names[label]: value for label, value in row["scores"].items()}
        row["notes"] = {names[label]: note for label, note in row["notes"].items()}
        candidates.append(row)
    rankings = {names[ranking.label]: ranking for ranking in rank_all(scored)}
    vote = count_votes(scored.answers)
    problems = {names[column.label]: column.problem for column in scored.columns if column.problem}
    return {
        "model": engine.info.id,
        "prompt_ids": list(done.candidates[0].prompt_ids),
        "ways": [
            {"setting": name, "system": system, "temperature": settings.temperature}
            for name, system, settings in request.ways()
        ],
        "candidates": candidates,
        "rankings": {name: [*ranking.order, *ranking.unranked] for name, ranking in rankings.items()},
        "winners": {name: ranking.winner for name, ranking in rankings.items()},
        "tied": {name: list(ranking.tied) for name, ranking in rankings.items() if ranking.tied},
        "problems": problems,
        "vote": {
            "answers": [{"answer": tally.answer, "count": tally.count} for tally in vote.tallies],
            "majority": vote.majority,
            "tied": list(vote.tied),
            "abstained": vote.abstained,
            "winner": vote.winner,
        },
        "timings": {
            "prefill_s": done.prefill_ms / 1000,
            "decode_s": done.decode_ms / 1000,
            "scoring_s": scoring_s,
            "new_tokens": done.new_tokens,
        },
    }


def _print_readable(result: dict[str, Any]) -> None:
    names = list(result["rankings"])
    mixed = any(row["setting"] for row in result["candidates"])
    head = ("", *(("asked",) if mixed else ()), "text", "tokens", "ended", "answer", *(name[:24] for name in names))
    lines = []
    for row in result["candidates"]:
        scores = ["" if row["scores"][name] is None else f"{row['scores'][name]:.3f}" for name in names]
        text = row["text"] if len(row["text"]) <= 60 else row["text"][:59] + "…"
        asked = (row["setting"] or "drawn",) if mixed else ()
        ended = (str(row["n_tokens"]), row["finish_reason"], row["answer"] or "")
        lines.append((str(row["index"]), *asked, text, *ended, *scores))
    output.print_table(head, lines)
    print()
    for name in names:
        winner = result["winners"][name]
        tied = f", tied with {len(result['tied'][name]) - 1} more" if name in result["tied"] else ""
        nobody = result["problems"].get(name, "no candidate has this score")
        print(f"{name}: " + (nobody if winner is None else f"candidate {winner}{tied}"))
    vote = result["vote"]
    if vote["majority"] is not None:
        counts = ", ".join(f"{item['answer']!r} {item['count']}" for item in vote["answers"][:8])
        print(f"majority: {vote['majority']!r}{' (tied)' if vote['tied'] else ''} of {counts}")
    times = result["timings"]
    rate = f", {times['new_tokens'] / times['decode_s']:.1f} tokens/s" if times["decode_s"] else ""
    print(
        f"{times['new_tokens']} tokens in {times['decode_s']:.2f} s after {times['prefill_s']:.2f} s of prefill{rate}; "
        f"scored in {times['scoring_s']:.2f} s"
    )


def _list_scorers(as_json: bool) -> int:
    """What there is to rank by; loads no model."""
    from playground.testtime.registry import SCORERS

    if as_json:
        fields = ("name", "label", "family", "purpose", "fails", "formula", "source", "argument")
        output.print_json({"scorers": [{field: getattr(kind, field) for field in fields} for kind in SCORERS.values()]})
    else:
        output.print_table(
            ("name", "argument", "what it is for"),
            ((kind.name, kind.argument or "none", kind.purpose) for kind in SCORERS.values()),
        )
    return 0
