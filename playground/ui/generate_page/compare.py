"""Section "Compare": two to four settings on one prompt, decoded in one batch; where they part, and how varied they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.charts.compare import CompareData, compare_description, compare_figure, settings_words
from playground.charts.generation_strip import path_tokens, shown_text
from playground.charts.numbers import logprob, percent
from playground.charts.palette import PINS
from playground.charts.step_bars import step_bars
from playground.engine.api import TextCodec
from playground.engine.serving.worker import Worker
from playground.engine.text.display import glyphs
from playground.engine.types import TokenIds
from playground.generation import DrawnStep, TokenStep, samples_here
from playground.generation.diversity import Interval, diversity, first_divergence
from playground.generation.document import ids_before, step_pieces
from playground.generation.tree import Branch
from playground.models.info import or_unknown
from playground.sampling.settings import SamplerSettings
from playground.state.generate import GenerateState
from playground.ui.components.bars import PROBABILITY_BARS
from playground.ui.components.token_strip import token_strip
from playground.ui.generate_page.actions import FEWEST_COMPARED, settings_to_compare
from playground.ui.generate_page.live import legend_line, live, show_ending
from playground.ui.generate_page.models_beside import texts_beside
from playground.ui.generate_page.session import GenerateSession, PendingAction, ask, opened, options, shown_branches
from playground.ui.generate_page.token_panel import token_panel
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.kit.pictures import plotly_picture
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.compare import describe, pin, pins, unpin
from playground.ui.workspace.beside import each_loaded
from playground.ui.workspace.beside_loading import named
from playground.ui.workspace.beside_pin import pin_control
from playground.ui.workspace.setup import setup

if TYPE_CHECKING:
    import pandas as pd

MOST = 4
WIDGETS = Bound(GenerateState)


def compare_section(worker: Worker) -> None:
    """Choosing what to compare, the texts side by side, their parting, their diversity."""
    work, chosen = opened("compare", worker), settings_to_compare()
    _pin_buttons()
    with st.container(key="models_asked"):  # always there: a strip that moves up among its siblings is drawn twice
        loaded = each_loaded() if named() else {}
    _run_controls(len(chosen) + len(loaded))
    if work.problem:
        show_problem(work.problem)
    _exactness(worker)
    if work.run is None:
        st.info(
            "Pin settings, change some sliders, then press **Generate together**. Or let one click compare the present "
            "settings with the likeliest token every time (temperature 0), or pin another model."
        )
        return
    live(work, "compare", worker, _strips)
    with st.container(key="models_texts"):
        texts_beside(work, worker, loaded)
    legend_line(worker)
    if work.stream is None:
        _parting(work, worker)
        _diversity_table(work)
        token_panel(work, worker, branches=False)


def _pin_buttons() -> None:
    present = setup().settings
    with st.container(horizontal=True, vertical_alignment="center", key="compare_pins"):
        st.button(
            "Pin the present settings",
            icon=":material/keep:",
            key="generate_pin",
            on_click=pin,
            args=(present,),
            disabled=len(pins()) >= MOST,
            help="Up to four pins, A to D, shared with the Sampling page.",
        )
        if not pins():
            st.button("Compare with greedy", key="against_greedy", on_click=_against_greedy, args=(present,))
        pin_control()
        for letter, settings in list(pins().items()):
            st.button(
                f"✕ {letter}", key=f"generate_unpin_{letter}", on_click=unpin, args=(letter,), help=describe(settings)
            )


def _against_greedy(present: SamplerSettings) -> None:
    pin(present.replace(temperature=0.0))
    pin(present if present.temperature else present.replace(temperature=1.0))
    session.put(PendingAction("compare"))


def _run_controls(texts: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Generate together",
            key="compare_go",
            type="primary",
            icon=":material/edit_note:",
            on_click=ask,
            args=("compare",),
            disabled=texts < FEWEST_COMPARED,
            help="All settings and seeds at the same time. Models beside write the first setting's texts.",
        )
        with st.popover("Random stream and seeds", icon=":material/casino:"):
            WIDGETS.segmented("stream")
            WIDGETS.number("seeds", width=130)


def _exactness(worker: Worker) -> None:
    """Where rounding depends on the batch, the same tokens alone and together cannot be promised."""
    info = worker.engine.info
    if not samples_here(worker.engine):
        st.caption(
            ":material/info: The engine draws by itself, each text by a request of its own, several at a time. Whether the "
            "same seed gives the same text again is up to it."
        )
    elif info.dtype != "float32" or info.device != "cpu":
        st.caption(
            f":material/info: In {escape_markdown(or_unknown(info.dtype))} on {escape_markdown(or_unknown(info.device))} "
            f"rounding depends on how many rows run together, so "
            "the same seed may give other tokens alone than in a batch. In float32 on the CPU it gives the same."
        )


# -- the texts -----------------------------------------------------------------------------------------------------


def _strips(work: GenerateSession, worker: Worker) -> None:
    rows = shown_branches(work)
    if not rows or work.run is None:
        return
    _seed_choice(work)
    scale, first = options().scale, work.tree.path_keys(rows[0][1].id)
    for letter, branch in rows:
        parted = first_divergence(first, work.tree.path_keys(branch.id)) if work.stream is None else None
        colour = PINS.get(letter, "#8C919C")
        st.html(
            f'<div style="border-left:0.5rem solid {colour};padding-left:0.5rem"><b>{letter}</b> · '
            f"{escape(settings_words(branch.settings))}, seed {branch.seed}</div>"
        )
        codec = worker.engine.codec
        if work.stream is None:
            tokens = path_tokens(work.run, work.tree, branch.id, codec, scale, parted=parted)
        else:
            tokens = work.growing[letter].look(work.run, work.tree, branch.id, codec, scale)
        chosen = work.selected if work.selected is not None and work.tree.current == branch.id else -1
        token_strip(
            tokens,
            key=f"compare_strip_{letter}",
            label=f"Text under setting {letter}, one button for each token",
            on_pick=_picker(work, branch.id),
            selected=chosen,
            height="9rem",
        )
        if work.stream is None:
            show_ending(branch)


def _picker(work: GenerateSession, branch: int) -> Callable[[int], None]:
    def pick(index: int) -> None:
        work.history = work.history.amend(work.tree.select(branch))
        work.selected = index
        redraw(PICTURES)

    return pick


def _seed_choice(work: GenerateSession) -> None:
    seeds = len(work.tree.branches) // max(1, len(set(work.letters)))
    if seeds < 2:
        return
    number = st.segmented_control(
        "Which of the seeds is shown",
        list(range(seeds)),
        default=work.seed_view,
        key=f"seed_view_{seeds}",
        format_func=lambda n: f"{n + 1}",
        required=True,
    )
    work.seed_view = int(number or 0)


# -- where they part -----------------------------------------------------------------------------------------------


def _parting(work: GenerateSession, worker: Worker) -> None:
    """Each setting against the first: the first token that differs, and both distributions there on a click."""
    rows = shown_branches(work)
    if len(rows) < FEWEST_COMPARED or work.run is None:
        return
    first_letter, first = rows[0]
    for letter, branch in rows[1:]:
        place = first_divergence(work.tree.path_keys(first.id), work.tree.path_keys(branch.id))
        if place is None:
            st.markdown(f"**{first_letter} and {letter}** are the same, token for token.")
            continue
        one, other = (_word(work, worker, item, place) for item in (first, branch))
        text, button = st.columns([3, 1], vertical_alignment="center")
        text.markdown(
            f"**{first_letter} and {letter}** part at token {place + 1}: {escape_markdown(one)} against {escape_markdown(other)}."
        )
        if button.toggle("Distributions", key=f"part_{letter}"):
            _two_distributions(work, worker, ((first_letter, first), (letter, branch)), place)


def _word(work: GenerateSession, worker: Worker, branch: Branch, place: int) -> str:
    path = work.tree.path(branch.id)
    if place >= len(path):
        return "(the end)"
    return shown_text(
        step_pieces(worker.engine.codec, path[: place + 1], work.run.prompt.ids if work.run else ())[place]
    )


def _two_distributions(work: GenerateSession, worker: Worker, pair: tuple[tuple[str, Branch], ...], place: int) -> None:
    """The same context, so the same raw distribution: only what the samplers leave of it differs."""
    steps: list[tuple[str, TokenStep]] = []
    for letter, branch in pair:
        path = work.tree.path(branch.id)
        if place >= len(path):
            st.caption(f"{letter} ended here, so it has no distribution at this token.")
            return
        steps.append((letter, path[place]))
    before = ids_before(work.run.prompt.ids if work.run else (), work.tree.path(pair[0][1].id), place)
    drawn = [(letter, step) for letter, step in steps if isinstance(step, DrawnStep)]
    if len(drawn) == len(steps):
        _final_distributions(drawn, worker.engine.codec, before)
    elif steps[0][1].top:
        payload = step_bars(steps[0][1], worker.engine.codec, before, worker.engine.info.vocab_size)
        PROBABILITY_BARS(data={**payload, "position": 0}, key=f"parting_{pair[1][0]}")
        st.caption(
            f"The raw probabilities are the same for both; ▶ is what {steps[0][0]} drew. This engine does not tell what its "
            "samplers leave of them."
        )
    else:
        st.caption("This engine did not tell what else could have come here.")


def _final_distributions(steps: Sequence[tuple[str, DrawnStep]], codec: TextCodec, before: TokenIds) -> None:
    ids = [other.id for other in steps[0][1].top]
    probabilities = np.array(
        [[{o.id: o.prob or 0.0 for o in step.top}.get(token, 0.0) for token in ids] for _letter, step in steps],
        dtype=np.float32,
    )
    labels = tuple(glyphs(codec.piece(token, before)) for token in ids)
    data = CompareData(tuple(letter for letter, _step in steps), labels, probabilities)
    plotly_picture(
        compare_figure(data),
        key=f"parting_{steps[1][0]}",
        config={"displayModeBar": False},
        alt=compare_description(data),
    )
    draws = ", ".join(f"{letter}: u = {step.u:.6f} in {step.low:.6f} to {step.high:.6f}" for letter, step in steps)
    st.caption(f"Final probabilities of the {len(ids)} likeliest tokens at this point. {draws}.")


# -- diversity -----------------------------------------------------------------------------------------------------


def _diversity_table(work: GenerateSession) -> None:
    st.dataframe(diversity_frame(work), hide_index=True, key="diversity")
    why_it_matters(
        "Mean over the seeds with its 95% interval (Student's t); one text gives no interval. Distinct-n is the share of "
        "different n-grams and falls with length. The mean log-probability is the model's own, before the samplers: it says "
        "how expected the text was, not how good it is."
    )


def diversity_frame(work: GenerateSession) -> pd.DataFrame:
    """One row a setting."""
    import pandas as pd  # only a table needs it, and a page opens without it

    rows = []
    for letter in dict.fromkeys(work.letters):
        paths = [
            work.tree.path(b.id) for given, b in zip(work.letters, work.tree.branches, strict=False) if given == letter
        ]
        text_diversity = diversity(
            [tuple(step.key for step in path) for path in paths],
            [[step.raw_logprob for step in path if step.raw_logprob is not None] for path in paths],
        )
        rows.append(
            {
                "": letter,
                "different texts": f"{text_diversity.different} of {text_diversity.texts}",
                **{f"distinct-{n}": _interval(value, percent) for n, value in text_diversity.distinct.items()},
                "repeated 4-grams": _interval(text_diversity.repeated, percent),
                "length, tokens": _interval(text_diversity.length, lambda value: f"{value:.1f}"),
                "mean log-probability, nats": _interval(text_diversity.logprob, logprob),
            }
        )
    return pd.DataFrame(rows)


def _interval(value: Interval | None, write: Callable[[float], str]) -> str:
    if value is None:
        return "undefined"
    if value.low is None or value.high is None:
        return write(value.mean)
    half = value.mean - value.low
    return f"{write(value.mean)} ± {write(half) if half > 0 else '0'}"
