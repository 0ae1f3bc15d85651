"""``python -m benchmarks.learned``: train every task's default models over three seeds, into the data file that ships.

``python -m benchmarks.learned weights`` trains the models of the page's third tab, into the file beside it. What is in
the file already stays unless ``--anew`` is given; each model is written as soon as it is trained.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import replace
from datetime import date

from torch import nn

from playground.architectures.learning import learn
from playground.architectures.ready import FILE, ready_results, write_results
from playground.architectures.remembering import FILE as WEIGHTS
from playground.architectures.remembering import VIEWS, remembering_request
from playground.architectures.request import LearnRequest, usual_request
from playground.architectures.tasks import TASKS
from playground.architectures.types import Learnt

SEEDS = 3
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


def train(request: LearnRequest) -> tuple[Learnt, nn.Module]:
    """To the end, without a page."""
    steps = learn(request)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: tuple[Learnt, nn.Module] = end.value
            return found


def main(words: list[str]) -> int:
    """Train what is missing; names of tasks select some, and ``weights`` what stands beside them."""
    if "weights" in words:
        write_weights()
        return 0
    found = list(ready_results().learnt) if FILE.exists() and "--anew" not in words else []
    wanted = [word for word in words if word in TASKS] or _FIRST
    machine = f"{platform.machine()}, {os.cpu_count()} processors"
    for seed in range(SEEDS):
        for task in wanted:
            for model in TASKS[task].shown:
                request = replace(usual_request(task, model), seed=seed)
                if any(each.request == request for each in found):
                    continue
                learnt, _model = train(request)
                found.append(learnt)
                write_results(FILE, str(date.today()), machine, found)
                print(task, model, seed, f"{learnt.accuracy:.1%} {learnt.seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
