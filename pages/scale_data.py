"""The page "Data and limits"."""

from playground.ui.scale_page.data_page import PLAN
from playground.ui.scale_page.page import plan_page

PAGE = plan_page(PLAN)

if __name__ == "__main__":
    from pages import show_page

    show_page("scale_data")
