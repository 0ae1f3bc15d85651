"""``python -m playground train sft|reward|dpo``: a LoRA adapter or a reward model from a file of rows, in a folder."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.training.masks import Row
    from playground.training.running import Prepared
    from playground.training.settings import Kind, TrainSettings
    from playground.training.steps import TrainStep

_SHOWN = 12  # rows of the held-out curve; --json has all
_ABOUT = {
    "sft": "teach demonstrations: a LoRA adapter by cross-entropy on the responses",
    "reward": "learn what was preferred: a reward model by -log sigma(s_w - s_l), saved for sequence classification",
    "dpo": "prefer what was preferred: a LoRA adapter by direct preference optimisation",
}


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the commands' flags."""
    parser = subparsers.add_parser("train", help="teach a model by LoRA: demonstrations, a reward model, preferences")
    inner = parser.add_subparsers(dest="train_command", required=True, metavar="COMMAND")
    for kind, about in _ABOUT.items():
        own = inner.add_parser(kind, parents=[common], help=about, description=about, allow_abbrev=False)
        options.add_model_options(own)
        rows = (
            "prompt, chosen, rejected" if kind != "sft" else "messages, or prompt and completion, or Alpaca's; or a CSV"
        )
        sets = " (or one of the sets that ship: tone, format, refusals)" if kind == "sft" else ""
        own.add_argument("--data", required=True, metavar="F.jsonl", help=f"{rows}{sets}")
        own.add_argument(
            "--out", required=True, metavar="FOLDER", help="where what was learnt goes; must not exist yet"
        )
        own.add_argument("--rank", help="of LoRA, 1 to 256 (default: 8)")
        own.add_argument("--alpha", help="LoRA's scale is alpha/rank (default: 16)")
        own.add_argument("--targets", help="names of layers with commas (default: q_proj,v_proj)")
        own.add_argument("--epochs", help="1 to 100 (default: 3)")
        own.add_argument("--batch", help="rows a step (default: 4)")
        own.add_argument("--learning-rate", help="at the first step; it falls to 0 in a straight line")
        own.add_argument("--heldout", help="share of the rows that is not taught, 0 to 0.9 (default: 0.15)")
        own.add_argument("--most-tokens", help="longer rows are cut, longer pairs left out (default: 512)")
        own.add_argument(
            "--plain", action="store_true", help="no chat template: plain text that ends with the end token"
        )
        if kind == "sft":
            own.add_argument("--whole", action="store_true", help="count the loss on prompts too")
        if kind == "dpo":
            own.add_argument("--beta", help="how much leaving the reference costs (default: 0.1)")
        own.add_argument(
            "--seed", default="0", help="of split, order and first weights, from 0 to 2^32 - 1 (default: 0)"
        )
        own.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and print how it went."""
    settings, out, rows = _settings(args), _new_folder(args.out), _rows(args)
    from playground.training.running import prepare, write_folder
    from playground.training.student import open_student

    prepared = prepare(open_student(args.model, settings, device=args.device), rows[0], settings, None)
    count = prepared.student.trainable_parameters
    steps = _run(prepared, shown=sys.stderr.isatty())
    prepared.student.load_state(prepared.training.best)
    write_folder(prepared.student, out)
    result = _result(steps, out, count, [*rows[1], *prepared.notes], settings)
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result, settings)
    return 0


def _run(prepared: Prepared, *, shown: bool) -> list[TrainStep]:
    steps = []
    for step in prepared.training.run():
        if step is None:
            continue
        steps.append(step)
        if shown and step.loss is not None:
            print(f"\rstep {step.step} of {step.steps}, loss {step.loss:.3f}", end="", file=sys.stderr, flush=True)
    if shown:
        print(file=sys.stderr)
    return steps


def _settings(args: argparse.Namespace) -> TrainSettings:
    from playground.models.adapter_names import split_adapter
    from playground.training.settings import TrainSettings

    kind: Kind = args.train_command
    if split_adapter(args.model) is not None:
        raise BadInput("--adapter: a training begins on the model as it is: leave the adapter out.", "adapter")
    if args.model is not None:
        from playground.models.catalogue import resolve

        if resolve(args.model).kind == "server":
            raise BadInput(
                "--model: a server's model gives no gradients and cannot be taught: name one of this machine.", "model"
            )
    given: dict[str, Any] = {"seed": options.read_seed_option(args), "chat": not args.plain}
    for name in ("rank", "epochs", "batch", "most_tokens"):
        if (text := getattr(args, name)) is not None:
            given[name] = options.read_number(text, "--" + name.replace("_", "-"), 1, 2**31, 0)
    for name, flag in (
        ("learning_rate", "--learning-rate"),
        ("alpha", "--alpha"),
        ("heldout", "--heldout"),
        ("beta", "--beta"),
    ):
        if (text := getattr(args, name, None)) is not None:
            given["heldout_share" if name == "heldout" else name] = _number(text, flag)
    if args.targets is not None:
        given["targets"] = tuple(name.strip() for name in args.targets.split(","))
    if args.dtype is not None:
        given["dtype"] = args.dtype
    if getattr(args, "whole", False):
        given["mask_prompt"] = False
    try:
        return replace(TrainSettings.of(kind), **given).checked()
    except BadInput as error:
        flag = {"heldout_share": "heldout"}.get(error.field or "", error.field or "").replace("_", "-")
        raise BadInput(f"--{flag}: {error}", error.field) from None


def _number(text: str, flag: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{flag} must be a number, not {text[:40]!r}.", flag) from None


def _new_folder(name: str) -> Path:
    """Where nothing is yet, so that nothing is lost."""
    folder = Path(name).expanduser()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInput(f"--out: {name!r} is there already and not empty: name a new folder.", "out")
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise BadInput(f"--out: {name!r} cannot be made ({error}): name another folder.", "out") from None
    return folder


def _rows(args: argparse.Namespace) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    from playground.training.demonstrations import SHIPPED, read_demonstrations, shipped
    from playground.training.pairs import read_pairs

    if args.train_command == "sft" and args.data in SHIPPED and not Path(args.data).exists():
        return shipped(args.data), ()
    data = options.read_file(args.data, "--data")
    try:
        return read_demonstrations(data, args.data) if args.train_command == "sft" else read_pairs(data, args.data)
    except BadInput as error:
        raise BadInput(f"--data: {error}", "data") from None


def _result(
    steps: list[TrainStep], folder: Path, trainable: int, notes: list[str], settings: TrainSettings
) -> dict[str, Any]:
    measured = [step for step in steps if step.heldout is not None]
    learnt = [step for step in steps if step.loss is not None]
    best = [step for step in steps if step.best]
    seconds = sum(step.seconds for step in steps)
    tokens = sum(step.tokens for step in steps)
    result: dict[str, Any] = {
        "steps": len(learnt),
        "train_loss": [step.loss for step in learnt],
        "heldout_loss": measured[-1].heldout if measured else None,
        "heldout_losses": [{"step": step.step, "loss": step.heldout} for step in measured],
        "best_step": best[-1].step if best else len(learnt),
        "trainable_parameters": trainable,
        "tokens": tokens,
        "tokens_per_s": tokens / seconds if seconds else None,
        "seconds": seconds,
        "folder": str(folder),
        "notes": notes,
    }
    if settings.kind != "sft":
        pairs = measured[-1].heldout_preference if measured else None
        result["heldout_accuracy"] = pairs.accuracy if pairs else None
        result["margin"] = pairs.margin if pairs else None
    if settings.kind == "dpo" and measured:
        heldout = measured[-1].heldout_preference
        result["kl"] = heldout.kl if heldout else None
    return result


def _print_readable(result: dict[str, Any], settings: TrainSettings) -> None:
    losses = result["train_loss"]
    print(f"{result['steps']} steps, {result['trainable_parameters']:,} parameters taught, {result['seconds']:.1f} s")
    print(f"loss {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the last")
    heldout = [(str(one["step"]), f"{one['loss']:.3f}") for one in result["heldout_losses"]]
    if heldout:
        output.print_table(("step", "held-out loss"), heldout[:: -(-len(heldout) // _SHOWN)])
    if result.get("heldout_accuracy") is not None:
        print(f"right on {result['heldout_accuracy']:.0%} of the held-out pairs")
    for note in result["notes"]:
        print(note)
    use = (
        f"best-of-n --scorer reward:{result['folder']}"
        if settings.kind == "reward"
        else f"next --adapter {result['folder']}"
    )
    print(f"{result['folder']} holds step {result['best_step']}; use it with: python -m playground {use} --prompt …")
