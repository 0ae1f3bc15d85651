"""The page "Training"."""

from playground.ui.kit.page import PageSpec
from playground.ui.scale_page.page import run_page
from playground.ui.scale_page.training_page import PAGE as PLAN

PAGE = PageSpec(
    name="scale_training",
    group="Plan",
    title="Training",
    icon=":material/factory:",
    about="Compute, time, money, energy and CO₂ of a training run.",
    sentence="",
    needs=(),
    sections={},
)

if __name__ == "__main__":
    run_page(PLAN)
