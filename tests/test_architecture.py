"""The house's rules, read off the source: who may import whom, how long a file may be, what is registered."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import PAGES
from playground.cli import COMMANDS
from playground.glossary import GLOSSARY
from playground.sampling.orders import ORDERS
from playground.sampling.registry import PANELS, PARAMETERS, SAMPLERS
from playground.sampling.sampler import Sampler
from playground.sampling.settings import SamplerSettings
from playground.state.link_fields import link_fields
from playground.state.setup import Setup
from playground.ui.page_links import EXPERIMENT, SECTION

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "playground"

# From top to bottom; a layer may import itself and what stands on a lower line.
LAYERS = (
    ("pages", "app", "cli"),
    ("ui",),
    ("plan",),
    ("state",),
    ("charts",),
    ("room",),
    ("architectures",),
    ("sampling", "inspection", "testtime", "scaling", "generation", "preferences", "tuning", "training", "corpus"),
    ("engine",),
    ("models",),
    ("store",),
    ("bounded", "server", "tables", "downloads"),
    ("uploads", "lined_yaml"),
    ("metrics", "constraint"),
    ("json_schema",),
    ("errors", "glossary", "numerics", "json_reading"),
)
HEIGHT = {layer: len(LAYERS) - index for index, row in enumerate(LAYERS) for layer in row}
LONGEST = 320  # lines: a longer file does two things
HEAVY = {"torch", "transformers", "accelerate", "safetensors", "gguf"}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted(PACKAGE.rglob("*.py"))]


def layer_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    if parts[0] in ("pages", "app.py"):
        return "pages"
    return Path(parts[1]).stem if len(parts) > 1 else ""


@functools.cache
def imports(path: Path, *, at_import_only: bool = False) -> tuple[str, ...]:
    """Full names of what a file imports; ``at_import_only`` leaves out functions and ``if TYPE_CHECKING``."""

    def walk(node: ast.AST) -> Iterator[str]:
        if at_import_only:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                return
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):
                yield from walk(child)

    return tuple(walk(parsed(path)))


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_point_downwards() -> None:
    wrong = []
    for path in sources():
        own = layer_of(path)
        if own in ("__init__", "__main__"):
            continue
        assert own in HEIGHT, f"{name(path)} belongs to no layer: add it to LAYERS and to docs/architecture.md"
        for imported in imports(path):
            if not imported.startswith("playground."):
                continue
            other = imported.split(".")[1]
            if other in HEIGHT and other != own:
                below = HEIGHT[other] < HEIGHT[own]
                # inspection looks at what sampling does, and holds a model against its formulas
                beside = own == "inspection" and other in ("sampling", "scaling")
                beside = beside or (
                    own in ("generation", "testtime", "tuning", "training", "corpus") and HEIGHT[other] == HEIGHT[own]
                )
                if not (below or beside):
                    wrong.append(f"{name(path)} ({own}) imports {imported}: against the direction")
    assert not wrong, "\n".join(wrong)


def test_what_is_stored_knows_no_model_and_no_page() -> None:
    """Rows go in and out as records of its own; what they mean is the business of who writes them."""
    for path in sorted((PACKAGE / "store").rglob("*.py")):
        own = {m for m in imports(path) if m.startswith("playground.")}
        assert all(m.startswith(("playground.store.", "playground.errors.")) for m in own), name(path)


def test_no_two_layers_of_one_height_import_each_other() -> None:
    """Equals may lean on each other in one direction only, else neither can be understood alone."""
    edges = {
        (layer_of(path), imported.split(".")[1])
        for path in sources()
        for imported in imports(path)
        if imported.startswith("playground.")
    }
    equals = {(a, b) for a, b in edges if a != b and HEIGHT.get(a) == HEIGHT.get(b)}
    assert not {(a, b) for a, b in equals if (b, a) in equals}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Neither at once nor inside functions nor for types: what can only be understood together is one thing."""
    modules = {module_of(path): path for path in sources() if path.is_relative_to(PACKAGE)}
    edges = {module: {target_of(full, modules) for full in imports(path)} for module, path in modules.items()}
    wanted = {
        module: {other for other in imported if other in modules and other != module}
        for module, imported in edges.items()
    }
    circles = strong_components(wanted)
    assert not circles, [sorted(circle) for circle in circles]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def target_of(full: str, modules: dict[str, Path]) -> str:
    """The module that ``import full`` or ``from module import name`` reads."""
    return full if full in modules else full.rpartition(".")[0]


def strong_components(edges: dict[str, set[str]]) -> set[frozenset[str]]:
    """The sets of two or more nodes each of which reaches all the others (by what each reaches)."""

    def reach(start: str) -> set[str]:
        reached_nodes: set[str] = set()
        todo = list(edges[start])
        while todo:
            node = todo.pop()
            if node not in reached_nodes:
                reached_nodes.add(node)
                todo += edges[node]
        return reached_nodes

    reached = {node: reach(node) for node in edges}
    return {frozenset(m for m in reached[n] if n in reached[m]) for n in edges if n in reached[n]}


def test_no_file_is_longer_than_one_can_keep_in_mind() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert len(lengths) > 100 and not {path: lines for path, lines in lengths.items() if lines > LONGEST}


VAGUE = (
    "found made mine known seen told keep kept_run growing doomed oracle luck wheel desk desk_work bench todo keeper "
    "take_away acting ladder"
)
"""Names that do not say what they name; each has a term of the field in its place."""


def test_what_is_defined_is_called_by_what_it_is() -> None:
    """Functions, methods and classes."""
    vague_names = [
        f"{name(path)}: {node.name}"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and node.name.strip("_").lower() in VAGUE.split()
    ]
    assert not vague_names, "\n".join(vague_names)


OF_WHAT_IS_THERE = frozenset(VAGUE.split()[:6])
NAMED = ("playground", "tests", "benchmarks")
ALLOWED: dict[str, str] = {}
"""``path: name`` of what may be called so all the same, and why: that a file or a link calls it so, for instance."""


def test_what_a_function_holds_is_called_by_what_it_is() -> None:
    """That something was found is true of every local name and parameter, and says nothing of what it is."""
    files = [path for folder in NAMED for path in sorted((ROOT / folder).rglob("*.py"))]
    vague_names = {
        f"{name(path)}: {word}"
        for path in files
        for node in ast.walk(parsed(path))
        if (word := bound_name(node)) in OF_WHAT_IS_THERE
    }
    assert vague_names == set(ALLOWED), "\n".join(sorted(vague_names ^ set(ALLOWED)))


def bound_name(node: ast.AST) -> str | None:
    """The name that a node gives to something, if it gives one."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store) else None
    if isinstance(node, ast.alias):
        return node.asname
    return getattr(node, "arg" if isinstance(node, ast.arg) else "name", None)


def test_the_formatter_formats() -> None:
    """``fmt: off`` and ``fmt: skip`` are for no file, and notes of work to be done for none either."""
    signs = re.compile("# fmt" + ": (off|skip)|TO" + "DO|FIX" + "ME")
    files = [
        *sources(),
        *(path for folder in ("tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py")),
    ]
    assert not [name(path) for path in files if signs.search(path.read_text(encoding="utf-8"))]


def test_only_the_ui_knows_streamlit() -> None:
    below = [path for path in sources() if layer_of(path) not in ("pages", "ui")]
    assert not [name(path) for path in below if "streamlit" in {module.split(".")[0] for module in imports(path)}]


@pytest.mark.parametrize("layer", ["sampling", "scaling", "preferences"])
def test_the_maths_knows_no_model(layer: str) -> None:
    """Exceptions: the proof compares with transformers' processors, the meta count and keys left out ask its classes."""
    allowed = {"playground/sampling/reference.py", "playground/scaling/meta.py", "playground/scaling/config_classes.py"}
    for path in sorted((PACKAGE / layer).rglob("*.py")):
        imported = list(imports(path))
        assert not [m for m in imported if m.startswith(("playground.engine", "playground.models"))], name(path)
        library = [module for module in imported if module.split(".")[0] in {"transformers", "accelerate"}]
        assert not library or name(path) in allowed, f"{name(path)} imports {library}"
        at_once = [m for m in imports(path, at_import_only=True) if m.split(".")[0] in {"transformers", "accelerate"}]
        assert not at_once, f"{name(path)} imports {at_once} before it is needed"


def test_scaling_imports_nothing_heavy_at_module_level() -> None:
    for path in sorted((PACKAGE / "scaling").rglob("*.py")):
        at_once = imports(path, at_import_only=True)
        assert not HEAVY & {module.split(".")[0] for module in at_once}, name(path)
        own = {module.split(".")[1] for module in at_once if module.startswith("playground.")}
        assert own <= {"scaling", "uploads", "json_reading", "errors"}, name(path)


def test_only_models_and_engine_know_model_classes() -> None:
    importers = {
        name(path)
        for path in sources()
        for module in imports(path)
        if layer_of(path) not in ("models", "engine")
        and re.match(r"transformers\.(Auto\w*Model|PreTrained|\w+ForCausalLM)", module)
    }
    assert importers <= {"playground/scaling/meta.py"}


def test_what_stands_before_the_model_opens_without_the_heavy_libraries() -> None:
    """The frame must be on screen before torch is imported, and ``calc`` must answer in well under a second."""
    modules = (
        "models.catalogue",
        "engine.serving.pool",
        "engine.serving.worker",
        "engine.fake.engine",
        "charts.bars",
        "scaling.laws",
        "cli",
    )
    script = f"import sys, {', '.join(f'playground.{m}' for m in modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_the_pages_open_without_tensors_tables_and_the_database() -> None:
    """The frame waits for none of them: the model's thread, the samplers, tables and what is stored import their own."""
    script = "import sys, pages, playground.ui.server, playground.sampling.chain; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert (
        "playground.ui.best_of_n_page.sections" in modules
        and not (HEAVY | {"pandas", "pyarrow", "sqlalchemy"}) & modules
    )


@pytest.mark.parametrize("row", SAMPLERS.values(), ids=SAMPLERS.keys())
def test_every_sampler_is_complete(row: Sampler) -> None:
    sampler = SAMPLERS[row.name]
    for field in ("label", "formula", "source", "reference", "explain"):
        assert getattr(sampler, field).strip(), f"{sampler.name} lacks its {field}"
    assert sampler.parameters and all(PARAMETERS[p.name] is p for p in sampler.parameters)
    assert sampler.is_neutral(SamplerSettings())
    assert sampler.explain.endswith(".")
    assert all(sampler.name in order for order in ORDERS.values())


def test_every_parameter_is_a_setting_of_exactly_one_sampler() -> None:
    used = [parameter.name for sampler in SAMPLERS.values() for parameter in sampler.parameters]
    assert sorted(used) == sorted(PARAMETERS)


def test_every_parameter_has_a_control_on_the_page() -> None:
    assert sorted(name for names in PANELS.values() for name in names) == sorted(PARAMETERS)


def test_no_page_calls_a_field_of_its_link_what_all_pages_links_have() -> None:
    """A head called as models beside are, or a number of updates as accepted tokens, is taken for the other."""
    shared = link_fields(Setup).values()
    of_all = {*(each.name for each in shared), *PARAMETERS, "order", "check", EXPERIMENT, SECTION}
    for page, spec in PAGES.items():
        if spec.state is not None:
            assert of_all.isdisjoint(each.name for each in link_fields(spec.state).values()), page


def test_every_page_has_its_file_and_every_file_its_page() -> None:
    files = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"__init__"}
    assert {spec.name for spec in PAGES.values()} == set(PAGES) == files
    assert sum(spec.default for spec in PAGES.values()) == 1
    for name, spec in PAGES.items():
        assert spec.about.endswith(".") and spec.title and spec.group and spec.icon.startswith(":material/")
        assert (
            f'show_page("{name}")' in (ROOT / "pages" / f"{name}.py").read_text(encoding="utf-8") or not spec.sections
        )


def test_every_term_that_a_page_defines_is_in_the_glossary() -> None:
    for path in sources():
        for term in re.findall(r'define\("([^"]+)"\)', path.read_text(encoding="utf-8")):
            assert term in GLOSSARY, f"{name(path)} defines {term!r}"
    assert all(text.endswith(".") for text in GLOSSARY.values())


def test_every_command_has_a_module() -> None:
    for command, (module, about) in COMMANDS.items():
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), command
        assert about
