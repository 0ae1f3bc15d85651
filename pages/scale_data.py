"""The page "Data and languages"."""

from playground.ui.kit.page import PageSpec
from playground.ui.scale_page.data_page import PAGE as PLAN
from playground.ui.scale_page.page import run_page

PAGE = PageSpec(
    name="scale_data",
    group="Plan",
    title="Data and languages",
    icon=":material/language:",
    about="Who is left out of the data, how much of it is left, and what size does not buy.",
    sentence="",
    needs=(),
    sections={},
)

if __name__ == "__main__":
    run_page(PLAN)
