"""What this tab has written on the page Generate, as answers to vote on: a text's branches, settings or models side by side."""

from __future__ import annotations

from collections.abc import Sequence

from playground.engine.api import TextCodec
from playground.errors import BadInput
from playground.generation.document import Run, step_pieces
from playground.generation.tree import Branch
from playground.preferences.ballots import MOST_ANSWERS, Answer, Ballot
from playground.ui.generate_page.session import all_opened
from playground.ui.preferences_page.session import add_ballot
from playground.ui.runtime import model_pool


def written_answers() -> tuple[Answer, ...]:
    """All texts of this tab's Generate that have ended, whose model is still in memory; equal ones of a writer once."""
    codecs = {worker.engine.info.revision: worker.engine.codec for worker in model_pool().workers()}
    answers: list[Answer] = []
    for work in all_opened():
        run = work.whole_run()
        codec = codecs.get(run.origin.revision) if run is not None else None
        if run is not None and codec is not None and work.stream is None:
            answers += answers_of_run(run, work.letters, codec)
    return tuple(dict.fromkeys(answers))[:MOST_ANSWERS]


def answers_of_run(run: Run, letters: Sequence[str], codec: TextCodec) -> list[Answer]:
    """Its branches, each named by the model and, in Compare, by the setting's letter (``letters``, one a branch)."""
    prompt, named = run.prompt, len(letters) == len(run.tree.branches)
    answers = []
    for place, branch in enumerate(run.tree.branches):
        text = _text_of(run, branch, codec)
        if text.strip():
            name = " · ".join(filter(None, (run.origin.name, letters[place] if named else branch.name)))
            answers.append(Answer(prompt.text, text, name, prompt.system if prompt.chat else ""))
    return answers


def _text_of(run: Run, branch: Branch, codec: TextCodec) -> str:
    """Without the end token and what a stop string hides."""
    path = run.tree.path(branch.id)
    pieces = step_pieces(codec, path, run.prompt.ids)
    shown = (
        piece for step, piece in zip(path, pieces, strict=True) if step.id is None or not codec.is_special(step.id)
    )
    return "".join(shown).removesuffix(branch.hidden_text) if branch.hidden_text else "".join(shown)


def take_written(answers: tuple[Answer, ...]) -> None:
    """A ballot of the prompts that have two answers or more. Raises BadInput where none has."""
    prompts = [(answer.prompt, answer.system) for answer in answers]
    shared = tuple(answer for answer in answers if prompts.count((answer.prompt, answer.system)) > 1)
    if not shared:
        raise BadInput(
            "Generate has one answer a prompt so far: write a branch, or compare settings or models there.", "ballot"
        )
    add_ballot(shared[0].prompt[:60], Ballot(shared))
