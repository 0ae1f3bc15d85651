"""What the Generate page gives away beside its link: code, command line, files that open elsewhere or come back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from playground.charts.run_html import run_html
from playground.constraint import constraint_problem
from playground.engine.api import TextCodec
from playground.errors import PlaygroundError
from playground.generation.document import Run
from playground.generation.document_reading import from_json
from playground.generation.document_writing import Written, to_csv, to_json
from playground.generation.tree import History
from playground.sampling.export_code import Endings
from playground.state.generate import GenerateState, read_ids
from playground.state.setup import Setup
from playground.ui.generate_page.models_beside import written_beside
from playground.ui.generate_page.session import COMPARE, SECTION_KEY, WRITE, opened, options
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.workspace.export import code_for_engines, command_words
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.setup import setup
from playground.ui.workspace.shared import file_uploader


def export_generation() -> None:
    """Command line, code, and the text in view as a file. Raises Pending while the model is being loaded."""
    chosen = options()
    st.markdown("**Command line**")
    section = "compare" if st.session_state.get(SECTION_KEY) == COMPARE else "write"
    st.code(command(setup(), chosen, models=section == "compare"), language="bash", wrap_lines=True)
    code_for_engines(setup(), key="generate_export", max_new_tokens=chosen.max_new_tokens, endings=_endings(chosen))
    worker = loaded_model()
    work = opened(section, worker)
    run = work.whole_run()
    if run is not None and run.tree.branches:
        _downloads(run, worker.engine.codec, written_beside(work) if section == "compare" else [])
    file_uploader(
        "Load a saved JSON",
        type=["json"],
        key="generate_file",
        on_change=_load,
        help="A file saved by this page with the same model. It takes the place of the texts under Write.",
    )


def _endings(chosen: GenerateState) -> Endings:
    try:
        ids = read_ids(chosen.stop_ids)
    except PlaygroundError:  # told where they are typed
        ids = ()
    constraint = chosen.constraint
    if constraint is not None and constraint_problem(constraint):  # told there too
        constraint = None
    return Endings(chosen.stop_strings, ids, chosen.ignore_eos, constraint)


def command(shown: Setup, chosen: GenerateState, *, models: bool = False) -> str:
    """``python -m playground generate`` with the same model, text, settings, seed, endings and constraint; ``models``: and
    those beside.
    """
    words = command_words(shown, "generate")
    words.append(f"--max-new-tokens={chosen.max_new_tokens}")
    words += [f"--stop={text}" for text in chosen.stop_strings]
    words += [f"--stop-token-id={part}" for part in chosen.stop_ids.replace(",", " ").split()]
    words += ["--ignore-eos"] if chosen.ignore_eos else []
    words += [f"--{chosen.match.replace('_', '-')}={chosen.pattern}"] if chosen.match else []
    words += [f"--compare-model={one.text}" for one in shown.beside] if models else []
    return shlex.join(words)


def _downloads(run: Run, codec: TextCodec, beside: Sequence[Written]) -> None:
    """Made when they are pressed. ``beside``: what other models wrote with it."""
    st.markdown("**Files**")
    scale = options().scale
    with st.container(horizontal=True):
        file_button(
            "HTML", "generation.html", lambda: run_html(run, codec, scale, beside), "Opens offline, without a script."
        )
        file_button("JSON", "generation.json", lambda: to_json(run, codec, beside), "Can be loaded back here.")
        file_button("CSV", "generation.csv", lambda: to_csv(run, codec, beside), "One line a step.")


def _load() -> None:
    """From a callback: take a file in. What was there stays in the undo list."""
    given = st.session_state.get("generate_file")
    if given is None:
        return
    st.session_state[SECTION_KEY] = WRITE
    try:
        worker = loaded_model()
    except PlaygroundError as error:
        session.note_problem(str(error))
        return
    work = opened("write", worker)
    work.problem = work.note = None
    try:
        run, note = from_json(given.getvalue(), worker.engine.info)
    except PlaygroundError as error:
        work.problem = str(error)
        return
    adopt_run(run)
    work.stop()
    work.stream = None
    same_prompt = work.run is not None and work.run.prompt.ids == run.prompt.ids
    work.history = work.history.do(run.tree) if same_prompt else History(run.tree)
    work.run, work.selected, work.note, work.setup = run, None, note, setup()


def adopt_run(run: Run) -> None:
    """Put the controls where they stood when the file was saved."""
    branch = run.tree[run.tree.current]
    old = setup()
    session.put(
        replace(
            Setup(model=old.model, device=old.device, dtype=old.dtype),
            prompt=run.prompt.text,
            chat=run.prompt.chat,
            system=run.prompt.system,
            parse_special=run.prompt.parse_special,
            settings=branch.settings,
            seed=min(branch.seed, 2**32 - 1),
        )
    )
