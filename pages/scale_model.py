"""The page "Model and memory"."""

from playground.ui.kit.page import PageSpec
from playground.ui.scale_page.model_page import PAGE as PLAN
from playground.ui.scale_page.page import run_page

PAGE = PageSpec(
    name="scale_model",
    group="Plan",
    title="Model and memory",
    icon=":material/memory:",
    about="Parameters and memory of any model: what fits, and what to change if it does not.",
    sentence="",
    needs=(),
    sections={},
)

if __name__ == "__main__":
    run_page(PLAN)
