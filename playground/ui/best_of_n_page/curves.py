"""Section "Curves": what N buys, from the present run, by subsampling. No model runs."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from playground.charts.candidates_curves import (
    accuracy_bands,
    best_score_bands,
    gap_bands,
    kl_bands,
    quality_bands,
    rule_names,
)
from playground.charts.candidates_table import label_of
from playground.engine.serving.worker import Worker
from playground.testtime.cost import predict
from playground.testtime.curves import CurveSet, all_curves
from playground.testtime.registry import kind_of
from playground.testtime.rules import Rule, rules_beside
from playground.testtime.types import ScoreColumn, ScoredCandidates
from playground.ui.best_of_n_page.cost_section import fitted
from playground.ui.best_of_n_page.pictures import show_bands
from playground.ui.best_of_n_page.rankings import needs_candidates
from playground.ui.best_of_n_page.session import ModelSession, scores_now
from playground.ui.kit.messages import why_it_matters

FEW = 16
N_TITLE = "N: candidates drawn from the run"


def curves_section(own: ModelSession, worker: Worker) -> None:
    """Coverage, each rule's accuracy, the gap, the best score with its KL bound, and what it costs."""
    if needs_candidates(own):
        return
    scored = _samples(own, scores_now(own.run))
    if not scored.candidates:
        st.info("Curves need answers that were drawn, and there are beams alone: generate some.")
        return
    truths = [column for column in scored.columns if column.gives_verdicts]
    if len(scored.candidates) < FEW:
        st.caption(
            f":material/info: {len(scored.candidates)} candidates give rough curves: generate 32 or more for the bands to close."
        )
    if not truths:
        st.info(
            "Curves of accuracy need to know which answers are right: give a reference on the left and add mentions, exact or "
            "math to the rules."
        )
    else:
        _accuracy(own, worker, scored, truths)
    _best_score(scored)
    why_it_matters(
        "Every point averages over all ways to draw N of the run's candidates, so one large run shows all smaller ones. Near "
        "the run's own size the bands are too narrow: the candidates drawn are nearly the same each time."
    )


def _samples(own: ModelSession, scored: ScoredCandidates) -> ScoredCandidates:
    """The drawn ones, the same object as long as the scores are, since what is drawn from them is kept by it."""
    kept = own.results.get("samples")
    if kept is None or kept[0] is not scored:
        kept = own.results["samples"] = (scored, scored.samples())
    result: ScoredCandidates = kept[1]
    return result


def _accuracy(own: ModelSession, worker: Worker, scored: ScoredCandidates, truths: list[ScoreColumn]) -> None:
    labels = {column.label: column for column in truths}
    by_family = sorted(labels, key=lambda label: kind_of(labels[label].spec).family != "reference")
    truth = st.selectbox(
        "Right is what passes",
        by_family,
        key="bon_truth",
        format_func=lambda name: label_of(labels[name]),
        help="The verdict that the curves take for the truth.",
    )
    correct = [score.valid is True for score in labels[str(truth)].scores]
    rules = rules_beside(scored, str(truth))
    curves = _cached_curves(own, scored, rules, correct, str(truth))
    _draw_accuracy(curves, scored)
    _draw_gap(curves, scored)
    _draw_cost(own, worker, curves, scored)


def _cached_curves(
    own: ModelSession, scored: ScoredCandidates, rules: tuple[Rule, ...], correct: list[bool], truth: str
) -> CurveSet:
    """A vote's curve takes a second with many candidates: kept as long as the scores are."""
    key = (id(scored), truth, tuple(rule.name for rule in rules))
    kept = own.results.get("curves")
    if kept is None or kept[0] != key:
        kept = own.results["curves"] = (key, all_curves(rules, scored, correct), scored)
    result: CurveSet = kept[1]
    return result


def _draw_accuracy(curves: CurveSet, scored: ScoredCandidates) -> None:
    st.markdown("##### What was found and what was chosen")
    show_bands(accuracy_bands(curves, rule_names(scored)), key="bon_coverage")
    st.caption(
        "Coverage is pass@k, unbiased: 1 − C(n−c, k) / C(n, k) (Chen et al. 2021). Bands: 95%, by drawing the run's candidates "
        "again."
    )


def _draw_gap(curves: CurveSet, scored: ScoredCandidates) -> None:
    st.markdown("##### The gap: found and not chosen")
    show_bands(gap_bands(curves, rule_names(scored)), key="bon_gap")


def _draw_cost(own: ModelSession, worker: Worker, curves: CurveSet, scored: ScoredCandidates) -> None:
    """Quality against tokens, and against time where the cost was measured."""
    st.markdown("##### Cost against quality")
    model, request, seconds = fitted(worker), own.run.request, None
    if model is not None and request is not None:
        prompt, alive = own.run.expected_sizes()
        seconds = np.array([one.total_ms / 1000 for one in predict(model, curves.coverage.ns, prompt, alive)])
    show_bands(quality_bands(curves, rule_names(scored), seconds), key="bon_cost_quality")


def _best_score(scored: ScoredCandidates) -> None:
    usable = {
        column.label: [float(v) for v in column.values if v is not None and math.isfinite(v)]
        for column in scored.columns
    }
    offered = [label for label, values in usable.items() if len(values) == len(scored.candidates)]
    if not offered:
        return
    st.markdown("##### The best score, and how far best-of-N moves the answers")
    labels = {column.label: label_of(column) for column in scored.columns}
    label = str(st.selectbox("Score", offered, key="bon_best_of", format_func=labels.__getitem__))
    show_bands(best_score_bands(label, labels[label], usable[label]), key="bon_best")
    show_bands(kl_bands(len(scored.candidates)), key="bon_kl")
    st.caption(
        "The most by which choosing the best of N moves the distribution of answers away from the model's own, as a KL "
        "divergence (Stiennon et al. 2020; an upper bound: Beirami et al. 2024). The score grows on; what it stands for may not."
    )
