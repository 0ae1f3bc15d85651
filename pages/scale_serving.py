"""The page "Serving"."""

from playground.ui.scale_page.page import plan_page
from playground.ui.scale_page.serving_page import PLAN

PAGE = plan_page(PLAN)

if __name__ == "__main__":
    from pages import show_page

    show_page("scale_serving")
