"""The page "Serving"."""

from playground.ui.kit.page import PageSpec
from playground.ui.scale_page.page import run_page
from playground.ui.scale_page.serving_page import PAGE as PLAN

PAGE = PageSpec(
    name="scale_serving",
    group="Plan",
    title="Serving",
    icon=":material/dns:",
    about="Speed and price of answering: by roofline, by API, and as measured on this machine.",
    sentence="",
    needs=(),
    sections={},
)

if __name__ == "__main__":
    run_page(PLAN)
