"""The page Domains: what kinds of text the model predicts, and what it does not."""

from playground.engine.api import Score
from playground.state.domains import DomainsState
from playground.ui.domains_page.absent import absent_section
from playground.ui.domains_page.experiments import EXPERIMENTS
from playground.ui.domains_page.export import export_domains
from playground.ui.domains_page.sections import domains_section
from playground.ui.kit.page import PageSpec, Section
from playground.ui.workspace.model import loaded_model

PAGE = PageSpec(
    name="data_domains",
    group="Data",
    title="Domains",
    icon=":material/category:",
    about="Which kinds of text the model predicts well, and which it has hardly seen.",
    sentence="How many bits a byte of code, law, poetry or protein costs this model, and what that cannot tell.",
    needs=(Score,),
    view=loaded_model,
    state=DomainsState,
    experiments=EXPERIMENTS,
    sections={
        "bits": Section("Bits per byte", domains_section, export=export_domains),
        "absent": Section("What is not there", absent_section),
    },
)

if __name__ == "__main__":
    from pages import show_page

    show_page("data_domains")
