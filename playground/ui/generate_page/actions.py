"""What the Generate page can be asked to do: write, compare, branch, continue.

Each gives the worker a job and the session its stream. Nothing here waits: a looked-up token's row of logits raises Pending,
and the action is taken up again when it is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from playground.charts.palette import PINS
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation import DrawnStep, GenerationRequest, TokenStep, samples_here
from playground.generation.document import Limits, Prompt, Run, ids_before, origin_of
from playground.generation.running import RunningGeneration, start_generation
from playground.generation.tree import MOST_BRANCHES, Branch, Ended, History, Tree
from playground.generation.types import Alternative, ids_of
from playground.inspection.alignment import align
from playground.inspection.compared import require_portable
from playground.inspection.next_token import breaker_ids, candidate
from playground.sampling.chain import examine
from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import updated_mu
from playground.state.sampling import Pins
from playground.state.setup import Setup
from playground.ui.generate_page.session import (
    ALTERNATIVES,
    GenerateSession,
    PendingAction,
    all_opened,
    opened,
    options,
)
from playground.ui.kit import session
from playground.ui.kit.jobs import Pending
from playground.ui.runtime import session_id
from playground.ui.workspace.beside import reading_setup, ready_beside
from playground.ui.workspace.reading import encode_setup, next_row
from playground.ui.workspace.setup import setup as present_setup
from playground.ui.workspace.shared import check_requests

FEWEST_COMPARED = 2


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
        constraint=limits.constraint,
        top=ALTERNATIVES,
        generated_ids=ids_of(path),
        mirostat_mu=path[-1].mirostat_mu if path else None,
    )


def start_texts(
    worker: Worker,
    requests: Sequence[GenerationRequest],
    branches: Sequence[int],
    before: Sequence[tuple[TokenStep, ...]],
    slot: str = "generate",
) -> RunningGeneration:
    """``start_generation`` for this session, within what a visitor may ask for. Raises LimitReached and what that raises."""
    check_requests(requests)
    return start_generation(worker, session_id(), requests, branches, before, slot)


def new_run(worker: Worker, setup: Setup, limits: Limits, old: Run | None) -> Run:
    """An empty run on the setup's prompt; the prompt's figures are kept if it is the one of ``old``."""
    ids = encode_setup(worker.engine.codec, setup)
    prompt = Prompt(setup.prompt, ids, setup.chat, setup.system, setup.parse_special)
    if old is not None and old.prompt.ids == ids and old.origin.revision == worker.engine.info.revision:
        prompt = replace(old.prompt, text=setup.prompt)
    return Run(origin_of(worker.engine.info), prompt, limits, Tree())


def do_action(worker: Worker) -> None:
    """What the last button asked for. A refusal becomes the session's problem; what is there stays. Raises Pending."""
    action = session.get(PendingAction)
    if not action.what:
        return
    work = opened("compare" if action.what == "compare" else "write", worker)
    for other in all_opened():  # a session generates one thing at a time
        other.stop()
        other.drain()
    work.begun, work.closed = work.begun + 1, False
    work.problem = work.note = None
    try:
        if action.what == "write":
            _write(work, worker)
        elif action.what == "compare":
            _compare(work, worker)
        elif action.what == "branch":
            _branch(work, worker, action)
        elif action.what == "continue":
            _continue(work, worker, action.branch)
    except Pending:
        raise
    except PlaygroundError as error:
        work.problem = str(error)
    session.put(PendingAction())


def settings_to_compare() -> list[tuple[str, SamplerSettings]]:
    """The pins A to D; with fewer than two, the present settings as the next letter."""
    pins = session.get(Pins)
    named_settings = list(pins.items())
    if len(named_settings) < FEWEST_COMPARED:
        free = next(letter for letter in PINS if letter not in pins)
        named_settings = sorted([*named_settings, (free, present_setup().settings)])
    return named_settings


def _write(work: GenerateSession, worker: Worker) -> None:
    """A new text, as another root beside the earlier ones where prompt and limits are the same."""
    setup = present_setup()
    run = new_run(worker, setup, options().limits(), work.run)
    asked = request_for(run, setup.settings, setup.seed)
    tree = Tree()
    if work.run is not None and work.run.prompt.ids == run.prompt.ids and work.run.limits == run.limits:
        tree = work.tree if len(work.tree.branches) < MOST_BRANCHES else tree  # beside the earlier texts
    for branch in tree.branches:
        if (branch.parent, branch.settings, branch.seed) == (
            None,
            setup.settings,
            setup.seed,
        ) and branch.ended != "stopped":
            work.history, work.selected = work.history.do(tree.select(branch.id)), None
            work.note = (
                "The same prompt, settings and seed give the same tokens: here they are."
                if samples_here(worker.engine)
                else "There is a text of these settings and this seed: here it is. Another seed gives another one."
            )
            return
    tree = tree.add(Branch(0, None, 0, (), setup.settings, setup.seed))
    work.stream = start_texts(worker, [asked], [tree.current], [()])
    work.run, work.setup, work.selected = run, setup, None
    work.history = work.history.do(tree) if len(tree.branches) > 1 else History(tree)


def _compare(work: GenerateSession, worker: Worker) -> None:
    """All settings and seeds in one batch, each a root of the tree."""
    setup, chosen = present_setup(), options()
    run = new_run(worker, setup, chosen.limits(), work.run)
    tree, requests, letters = Tree(), list[GenerationRequest](), list[str]()
    for index, (letter, one) in enumerate(settings_to_compare()):
        for number in range(chosen.seeds):
            seed = setup.seed + number + (index * chosen.seeds if chosen.stream == "own" else 0)
            name = f"{letter}, seed {seed}"
            tree = tree.add(Branch(0, None, 0, (), one, seed, name=name))
            requests.append(request_for(run, one, seed))
            letters.append(letter)
    work.stream = start_texts(worker, requests, range(len(requests)), [()] * len(requests))
    work.run, work.setup, work.selected, work.letters = run, setup, None, tuple(letters)
    work.history, work.seed_view, work.group = History(tree.select(0)), 0, object()
    for letter, other in ready_beside().items():
        _write_beside(work, run, worker, letter, other)


def _write_beside(base: GenerateSession, asked: Run, worker: Worker, letter: str, other: Worker) -> None:
    """The first setting's texts by a model beside, on the same seeds; a refusal becomes its own problem."""
    work = opened(f"beside {letter}", other)
    work.problem, work.run, work.group = None, None, base.group
    one, two = worker.engine, other.engine
    same = align([(one.codec, one.info.vocab_size), (two.codec, two.info.vocab_size)]).same
    limits = asked.limits if same else replace(asked.limits, stop_ids=())
    try:
        setup = reading_setup(letter)
        run, tree, requests = new_run(other, setup, limits, None), Tree(), list[GenerationRequest]()
        for name, branch in zip(base.letters, base.tree.branches, strict=True):
            if name == base.letters[0]:
                require_portable(branch.settings, same)
                named = f"{letter}, seed {branch.seed}"
                tree = tree.add(Branch(0, None, 0, (), branch.settings, branch.seed, name=named))
                requests.append(request_for(run, branch.settings, branch.seed))
        count, slot = len(requests), f"generate {letter}"
        work.stream = start_texts(other, requests, range(count), [()] * count, slot)
    except PlaygroundError as error:
        work.problem = str(error)
        return
    work.run, work.setup, work.selected, work.letters = run, setup, None, (letter,) * count
    work.history = History(tree.select(0))


def _branch(work: GenerateSession, worker: Worker, action: PendingAction) -> None:
    """Go on with another token in the place of one: nothing before it is run again."""
    assert work.run is not None
    tree, parent = work.tree, work.tree[action.branch]
    before = tree.path(parent.id)[: action.place]
    there = tree.path(parent.id)[action.place]
    ids = (*ids_of(before), action.token)
    holder = tree.holder_of(ids, parent.settings)
    if holder is not None:
        work.history = work.history.do(tree.select(holder))
        work.note = "This way on has been generated before: here it is." if holder != parent.id else None
        return
    step = picked_step(work, worker, parent, there, action)
    branch = Branch(
        0,
        parent.id,
        action.place,
        (step,),
        parent.settings,
        parent.seed,
        parent.random_stream,
        picked=True,
        ended="picked",
    )
    left = work.run.limits.max_new_tokens - action.place - 1
    ended = _ends_at_once(work.run, worker, action.token, left)
    if ended is not None:
        work.history = work.history.do(tree.add(replace(branch, ended=ended)))
        work.selected = None
        return
    tree = tree.add(replace(branch, ended="stopped"))
    asked = request_for(work.run, parent.settings, parent.seed, (*before, step), left)
    work.stream = start_texts(worker, [asked], [tree.current], [(step,)])
    work.history, work.selected = work.history.do(tree), None


def _ends_at_once(run: Run, worker: Worker, token: int, left: int) -> Ended | None:
    if token in worker.engine.codec.eos_token_ids and not run.limits.ignore_eos:
        return "eos"
    if token in run.limits.stop_ids:
        return "stop_id"
    return "length" if left < 1 else None


def picked_step(
    work: GenerateSession, worker: Worker, parent: Branch, there: TokenStep, action: PendingAction
) -> TokenStep:
    """The record of a token chosen by hand: from the step's own record, or asked of the model for a rarer one."""
    if not isinstance(there, DrawnStep):
        before = ids_before(() if work.run is None else work.run.prompt.ids, work.tree.path(parent.id), action.place)
        return _untold_step(there, action.token, worker.engine.codec.piece(action.token, before))
    for rank, other in enumerate(there.top):
        if other.id == action.token:
            alternative, place = other, rank
            break
    else:
        alternative, place = _look_up(work, worker, parent, action)
    mu, probability = there.mirostat_mu, alternative.prob or 0.0
    if "mirostat" in parent.settings.active():
        earlier = work.tree.path(parent.id)[: action.place]
        surprise = -math.log2(max(probability, 1e-12))
        tau, eta = parent.settings.mirostat_tau, parent.settings.mirostat_eta
        mu = updated_mu(earlier[-1].mirostat_mu if earlier else None, surprise, tau=tau, eta=eta)
    return replace(
        there,
        id=alternative.id,
        raw_logprob=alternative.raw_logprob,
        prob=probability,
        rank=place,
        low=0.0,
        high=0.0,
        mirostat_mu=mu,
    )


def _untold_step(there: TokenStep, token: int, text: str) -> TokenStep:
    """A token chosen by hand where the engine samples by itself: of what it told of the step, the token's own part."""
    logprobs = {other.id: other.raw_logprob for other in there.top}
    return replace(there, id=token, text=text, raw_logprob=logprobs.get(token), rank=None)


def _look_up(work: GenerateSession, worker: Worker, parent: Branch, action: PendingAction) -> tuple[Alternative, int]:
    assert work.run is not None
    context = work.context(parent.id, action.place)
    row = next_row(worker, context, "branch")
    prompt = len(work.run.prompt.ids)
    next_token = examine(
        row.logits,
        parent.settings,
        prompt_ids=context[:prompt],
        generated_ids=context[prompt:],
        seed=parent.seed,
        breakers=breaker_ids(worker.engine.codec, parent.settings, context),
    )
    picked = candidate(next_token, action.token, None)
    return Alternative(
        action.token, picked.raw_logprob, picked.raw_prob, picked.final_prob, picked.removed_by
    ), picked.rank


def _continue(work: GenerateSession, worker: Worker, branch_id: int) -> None:
    """More tokens at the end of a branch that the limit or the reader ended."""
    assert work.run is not None
    branch, path = work.tree[branch_id], work.tree.path(branch_id)
    asked = request_for(work.run, branch.settings, branch.seed, path, options().limits().max_new_tokens)
    work.stream = start_texts(worker, [asked], [branch.id], [branch.steps])
    work.history = work.history.do(work.tree.put(replace(branch, ended="stopped", stopped_by=None, hidden_text="")))
