"""``python -m benchmarks.learned``: train every task's default models over three seeds, into the data file that ships.

``python -m benchmarks.learned weights`` trains the models of the page's third tab, ``race`` measures the families of its
first, each into a file beside it. What has been trained already stays unless ``--anew`` is given; each model is written as
soon as it is trained.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import replace
from datetime import date

from torch import nn

from playground.architectures.families import FAMILIES
from playground.architectures.learning import learn
from playground.architectures.race import RaceRow, race, racers_of
from playground.architectures.ready import FILE, RACE_FILE, ready_results, write_race, write_results
from playground.architectures.remembering import FILE as WEIGHTS
from playground.architectures.remembering import VIEWS, remembering_request
from playground.architectures.request import LearnRequest, usual_request
from playground.architectures.tasks import TASKS
from playground.architectures.types import Learnt
from playground.scaling.configs import load_config

SEEDS = 3
PASSES, RACE_CONTEXTS = 3, (512, 1024, 2048, 4096, 8192)
_FIRST = ("reverse", "induction", "selective-copy", "mqar", "copy")


def write_weights() -> None:
    """The models of "How each one remembers", in half precision."""
    import torch
    from safetensors.torch import load_file, save_file

    weights = dict(load_file(WEIGHTS)) if WEIGHTS.exists() else {}
    for kind in VIEWS:
        if any(name.startswith(f"{kind}/") for name in weights):
            continue
        learnt, model = train(remembering_request(kind))
        weights |= {f"{kind}/{name}": each.detach().to(torch.float16) for name, each in model.state_dict().items()}
        save_file(weights, WEIGHTS)
        print("weights", kind, f"{learnt.accuracy:.1%} {learnt.seconds:.0f} s", flush=True)


def write_raced() -> None:
    """Every family at every context, each time the fastest of three passes: other work makes times longer, never shorter."""
    best: dict[tuple[str, int], RaceRow] = {}
    for number in range(PASSES):
        for step in race(racers_of(tuple(FAMILIES), load_config), RACE_CONTEXTS):
            row = step.row
            if row is None:
                continue
            before = best.setdefault((row.config, row.context), row)
            best[row.config, row.context] = replace(
                row,
                prefill_s=_least(row.prefill_s, before.prefill_s),
                decode_s_per_token=_least(row.decode_s_per_token, before.decode_s_per_token),
            )
            print("race", number, row.config, row.context, row.prefill_s, row.note, flush=True)
    write_race(RACE_FILE, str(date.today()), _machine(), list(best.values()))


def _least(*values: float | None) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors"


def train(request: LearnRequest) -> tuple[Learnt, nn.Module]:
    """To the end, without a page."""
    steps = learn(request)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            learnt: tuple[Learnt, nn.Module] = end.value
            return learnt


def main(words: list[str]) -> int:
    """Train what is missing; names of tasks select some, ``weights`` and ``race`` what stands beside them."""
    if "weights" in words:
        write_weights()
        return 0
    if "race" in words:
        write_raced()
        return 0
    trainings = list(ready_results().learnt) if FILE.exists() and "--anew" not in words else []
    wanted = [word for word in words if word in TASKS] or _FIRST
    machine = _machine()
    for seed in range(SEEDS):
        for task in wanted:
            for model in TASKS[task].shown:
                request = replace(usual_request(task, model), seed=seed)
                if any(each.request == request for each in trainings):
                    continue
                learnt, _model = train(request)
                trainings.append(learnt)
                write_results(FILE, str(date.today()), machine, trainings)
                print(task, model, seed, f"{learnt.accuracy:.1%} {learnt.seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
