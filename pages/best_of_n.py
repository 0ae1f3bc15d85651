"""The Best-of-N page: one question, N answers from one prefill, every way of choosing among them side by side."""

from playground.engine.api import Rows, Stream
from playground.state.best_of_n import BestOfNState
from playground.ui.best_of_n_page.controls import run_controls
from playground.ui.best_of_n_page.experiments import EXPERIMENTS
from playground.ui.best_of_n_page.export import export_run
from playground.ui.best_of_n_page.following import follow_run, tell_run
from playground.ui.best_of_n_page.sections import SECTIONS, load_view
from playground.ui.kit.page import PageSpec
from playground.ui.workspace.prompt import prompt_controls
from playground.ui.workspace.samplers import sampler_controls


def controls() -> None:
    """The left third."""
    prompt_controls()
    run_controls()
    sampler_controls()


PAGE = PageSpec(
    name="best_of_n",
    group="Spend compute",
    title="Best-of-N",
    icon=":material/dynamic_feed:",
    about="N answers to one question, and every way of choosing among them side by side.",
    sentence="The model answers N times; every way of choosing among the answers is laid side by side, with what it buys "
    "and costs.",
    needs=((Rows, Stream),),
    view=load_view,
    state=BestOfNState,
    controls=controls,
    sections=SECTIONS,
    experiments=EXPERIMENTS,
    export=export_run,
    tell=tell_run,
    follow=follow_run,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("best_of_n")
