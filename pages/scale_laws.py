"""The page "Scaling laws"."""

from playground.ui.kit.page import PageSpec
from playground.ui.scale_page.laws_page import PAGE as PLAN
from playground.ui.scale_page.page import run_page

PAGE = PageSpec(
    name="scale_laws",
    group="Plan",
    title="Scaling laws",
    icon=":material/show_chart:",
    about="What size and how much data a budget buys, over training and over a model's life.",
    sentence="",
    needs=(),
    sections={},
)

if __name__ == "__main__":
    run_page(PLAN)
