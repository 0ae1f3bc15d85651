"""The Tune page: from a question to a preset that one can defend."""

from playground.engine.api import Rows, Stream
from playground.state.tune import TuneState
from playground.ui.kit.page import PageSpec, Section
from playground.ui.tune_page.decide import decide_section
from playground.ui.tune_page.examples import examples_section
from playground.ui.tune_page.experiments import EXPERIMENTS, begin_experiment
from playground.ui.tune_page.judge import judge_section
from playground.ui.tune_page.plan import plan_section
from playground.ui.tune_page.reach import TOKENS, reach_section
from playground.ui.tune_page.reach_map import MAP
from playground.ui.tune_page.results import results_section
from playground.ui.tune_page.results_export import results_export
from playground.ui.tune_page.search import search_section
from playground.ui.tune_page.steps import DECISION, EXAMPLES, JUDGE, PLAN, REACH, RESULTS, SEARCH
from playground.ui.workspace.model import loaded_model

PAGE = PageSpec(
    name="tune",
    group="Decide",
    title="Tune",
    icon=":material/balance:",
    about="From a question to a preset that one can defend.",
    sentence="Which settings suit your prompts: what they allow, what they are worth, and how sure that is.",
    needs=((Rows, Stream),),
    view=loaded_model,
    state=TuneState,
    experiments=EXPERIMENTS,
    begin=begin_experiment,
    parts=(TOKENS, MAP),
    sections={
        "examples": Section(EXAMPLES, examples_section),
        "reach": Section(REACH, reach_section, needs=(Rows,)),
        "plan": Section(PLAN, plan_section),
        "results": Section(RESULTS, results_section, export=results_export),
        "judge": Section(JUDGE, judge_section),
        "search": Section(SEARCH, search_section),
        "decide": Section(DECISION, decide_section),
    },
)

if __name__ == "__main__":
    from pages import show_page

    show_page("tune")
