"""What the Generate page can be asked to do at a desk: write, compare, branch, continue.

Each gives the worker a job and the desk its stream; nothing here waits, but for the one row of logits a looked-up token takes.
"""

from __future__ import annotations

import math
from dataclasses import replace

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation import GenerationRequest, TokenStep
from playground.generation.document import Limits, Prompt, Run, origin_of
from playground.generation.tree import MOST_BRANCHES, Branch, Ended, History, Tree
from playground.generation.types import Alternative
from playground.inspection.next_token import candidate, examine
from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import updated_mu
from playground.state.setup import Setup
from playground.ui import state
from playground.ui.generate_page.desk import ALTERNATIVES, Desk, Todo, desks_here, options
from playground.ui.generate_page.stream import open_stream
from playground.ui.workspace.reading import encode_prompt, next_row


def request_for(
    run: Run, settings: SamplerSettings, seed: int, path: tuple[TokenStep, ...] = (), count: int | None = None
) -> GenerationRequest:
    """The request that goes on after ``path`` for ``count`` more tokens."""
    limits = run.limits
    return GenerationRequest(
        prompt_ids=run.prompt.ids,
        settings=settings,
        max_new_tokens=limits.max_new_tokens if count is None else count,
        seed=seed,
        stop_strings=limits.stop_strings,
        stop_ids=limits.stop_ids,
        ignore_eos=limits.ignore_eos,
        top=ALTERNATIVES,
        generated_ids=tuple(step.id for step in path),
        mirostat_mu=path[-1].mirostat_mu if path else None,
    )


def new_run(worker: Worker, setup: Setup, limits: Limits, old: Run | None) -> Run:
    """An empty run on the setup's prompt; the prompt's figures are kept if it is the one of ``old``."""
    ids = encode_prompt(worker.engine.codec, setup)
    prompt = Prompt(setup.prompt, ids, setup.chat, setup.system, setup.parse_special)
    if old is not None and old.prompt.ids == ids and old.origin.revision == worker.engine.info.revision:
        prompt = replace(old.prompt, text=setup.prompt)
    return Run(origin_of(worker.engine.info), prompt, limits, Tree())


def do_todo(desk: Desk, worker: Worker, settings: list[tuple[str, SamplerSettings]] | None = None) -> None:
    """What the last button asked for. A refusal becomes the desk's problem; what is there stays."""
    todo, desk.todo = desk.todo, None
    if todo is None:
        return
    for other in desks_here():  # a session generates one thing at a time
        other.stop()
        other.drain(worker)
    desk.problem = desk.note = None
    try:
        if todo.what == "write":
            _write(desk, worker)
        elif todo.what == "compare":
            _compare(desk, worker, settings or [])
        elif todo.what == "branch":
            _branch(desk, worker, todo)
        elif todo.what == "continue":
            _continue(desk, worker, todo.branch)
    except PlaygroundError as error:
        desk.problem = str(error)


def _write(desk: Desk, worker: Worker) -> None:
    """A new text, as another root beside the earlier ones where prompt and limits are the same."""
    setup = state.setup()
    run = new_run(worker, setup, options().limits(), desk.run)
    asked = request_for(run, setup.settings, setup.seed)
    tree = Tree()
    if desk.run is not None and desk.run.prompt.ids == run.prompt.ids and desk.run.limits == run.limits:
        tree = desk.tree if len(desk.tree.branches) < MOST_BRANCHES else tree  # beside the earlier texts
    for branch in tree.branches:
        if (branch.parent, branch.settings, branch.seed) == (
            None,
            setup.settings,
            setup.seed,
        ) and branch.ended != "stopped":
            desk.history, desk.selected = desk.history.do(tree.select(branch.id)), None
            desk.note = "The same prompt, settings and seed give the same tokens: here they are."
            return
    tree = tree.add(Branch(0, None, 0, (), setup.settings, setup.seed))
    desk.stream = open_stream(worker, [asked], [tree.current], [()])
    desk.run, desk.setup, desk.selected = run, setup, None
    desk.history = desk.history.do(tree) if len(tree.branches) > 1 else History(tree)


def _compare(desk: Desk, worker: Worker, settings: list[tuple[str, SamplerSettings]]) -> None:
    """All settings and seeds in one batch, each a root of the tree."""
    setup, chosen = state.setup(), options()
    run = new_run(worker, setup, chosen.limits(), desk.run)
    tree, requests, letters = Tree(), list[GenerationRequest](), list[str]()
    for index, (letter, one) in enumerate(settings):
        for number in range(chosen.seeds):
            seed = setup.seed + number + (index * chosen.seeds if chosen.luck == "own" else 0)
            name = f"{letter}, seed {seed}"
            tree = tree.add(Branch(0, None, 0, (), one, seed, name=name))
            requests.append(request_for(run, one, seed))
            letters.append(letter)
    desk.stream = open_stream(worker, requests, range(len(requests)), [()] * len(requests))
    desk.run, desk.setup, desk.selected, desk.letters = run, setup, None, tuple(letters)
    desk.history, desk.seed_view = History(tree.select(0)), 0


def _branch(desk: Desk, worker: Worker, todo: Todo) -> None:
    """Go on with another token in the place of one: nothing before it is run again."""
    assert desk.run is not None
    tree, parent = desk.tree, desk.tree[todo.branch]
    before = tree.path(parent.id)[: todo.place]
    there = tree.path(parent.id)[todo.place]
    ids = (*(step.id for step in before), todo.token)
    known = tree.holder_of(ids, parent.settings)
    if known is not None:
        desk.history = desk.history.do(tree.select(known))
        desk.note = "This way on has been generated before: here it is." if known != parent.id else None
        return
    step = picked_step(desk, worker, parent, there, todo)
    branch = Branch(
        0, parent.id, todo.place, (step,), parent.settings, parent.seed, parent.luck_row, picked=True, ended="picked"
    )
    left = desk.run.limits.max_new_tokens - todo.place - 1
    ended = _ends_at_once(desk.run, worker, todo.token, left)
    if ended is not None:
        desk.history = desk.history.do(tree.add(replace(branch, ended=ended)))
        desk.selected = None
        return
    tree = tree.add(replace(branch, ended="stopped"))
    asked = request_for(desk.run, parent.settings, parent.seed, (*before, step), left)
    desk.stream = open_stream(worker, [asked], [tree.current], [(step,)])
    desk.history, desk.selected = desk.history.do(tree), None


def _ends_at_once(run: Run, worker: Worker, token: int, left: int) -> Ended | None:
    if token in worker.engine.codec.eos_token_ids and not run.limits.ignore_eos:
        return "eos"
    if token in run.limits.stop_ids:
        return "stop_id"
    return "length" if left < 1 else None


def picked_step(desk: Desk, worker: Worker, parent: Branch, there: TokenStep, todo: Todo) -> TokenStep:
    """The record of a token chosen by hand: from the step's own record, or asked of the model for a rarer one."""
    for rank, other in enumerate(there.top):
        if other.id == todo.token:
            found, place = other, rank
            break
    else:
        found, place = _look_up(desk, worker, parent, todo)
    mu = there.mirostat_mu
    if "mirostat" in parent.settings.active():
        earlier = desk.tree.path(parent.id)[: todo.place]
        surprise = -math.log2(max(found.prob, 1e-12))
        tau, eta = parent.settings.mirostat_tau, parent.settings.mirostat_eta
        mu = updated_mu(earlier[-1].mirostat_mu if earlier else None, surprise, tau=tau, eta=eta)
    return replace(
        there,
        id=found.id,
        raw_logprob=found.raw_logprob,
        prob=found.prob,
        rank=place,
        low=0.0,
        high=0.0,
        mirostat_mu=mu,
    )


def _look_up(desk: Desk, worker: Worker, parent: Branch, todo: Todo) -> tuple[Alternative, int]:
    assert desk.run is not None
    context = desk.context(parent.id, todo.place)
    row = next_row(worker, context)
    prompt = len(desk.run.prompt.ids)
    seen = examine(
        row.logits,
        parent.settings,
        prompt_ids=context[:prompt],
        generated_ids=context[prompt:],
        seed=parent.seed,
        codec=worker.engine.codec,
    )
    found = candidate(seen, todo.token, None)
    return Alternative(todo.token, found.raw_logprob, found.raw_prob, found.final_prob, found.removed_by), found.rank


def _continue(desk: Desk, worker: Worker, branch_id: int) -> None:
    """More tokens at the end of a branch that the limit or the reader ended."""
    assert desk.run is not None
    branch, path = desk.tree[branch_id], desk.tree.path(branch_id)
    asked = request_for(desk.run, branch.settings, branch.seed, path, options().limits().max_new_tokens)
    desk.stream = open_stream(worker, [asked], [branch.id], [branch.steps])
    desk.history = desk.history.do(desk.tree.put(replace(branch, ended="stopped", stopped_by=None, hidden_text="")))
