"""Laws of the code itself: imports point one way, files stay short, everything says what it is."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "tfwgan").rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").rglob("*.py"))

# A room imports from itself and from rows above its own; rooms of one row don't know each other.
ROWS = [
    "errors rng files screen protocols",
    "start schedule plain heads",
    "transport plots",
    "data priors networks objectives optimizers augment",
    "metrics fitting repeat averaging",
    "trainer",
    "sampling endpoints loop",
    "saved_model",
    "render checkpoint audit",
    "callbacks",
    # The program: what knows flags, specs, configurations or folders of runs.
    "program.spec program.config_files program.hints",
    "program.config program.cli",
    "program.matching program.devices program.runs program.datasets program.cost",
    "program.assemble program.resume",
    "program.loading program.parts",
    "program.onlookers",
    "program.experiment",
    "program.describe studies",
    "program",  # its verbs
    "main __main__",
]
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row.split()}
# Names of the first release, kept for code that was written for it: they hand on what is in the
# program.
DOORS = {"config", "experiment", "runs", "spec"}


def label(path):
    return str(path.relative_to(ROOT))


def room(path):
    """Returns `data` of tfwgan/data/images.py, and `program.spec` of its file.

    Of the package's own front door it returns None.
    """
    parts = path.relative_to(ROOT / "tfwgan").with_suffix("").parts
    return None if parts == ("__init__",) else room_of(".".join(parts))


def room_of(module):
    """The room of a module whose name follows ``tfwgan.``; the verbs of the program are one."""
    first_two = ".".join(module.split(".")[:2])
    return first_two if first_two in RANK else module.split(".")[0]


def imported(path):
    """Yields the full names of all imported modules, at the top or inside functions.

    Of `from a import b` it yields both a and a.b.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{label(path)} imports by a relative name"
            if node.module != "tfwgan":
                yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_room_has_a_row():
    assert {room(path) for path in PACKAGE} - {None} - DOORS == set(RANK)


@pytest.mark.parametrize("path", PACKAGE, ids=label)
def test_imports_point_one_way(path):
    modules = {
        name.removeprefix("tfwgan.") for name in imported(path) if name.startswith("tfwgan.")
    }
    rooms = {room_of(module) for module in modules if module not in ("__version__", "program")}
    own = room(path)
    if own in DOORS:
        assert rooms == {f"program.{own}"}
        return
    if own is None:
        assert not rooms
        return
    for other in rooms - {own}:
        assert RANK[other] < RANK[own], f"{label(path)} imports {other}"


@pytest.mark.parametrize("path", PACKAGE, ids=label)
def test_the_library_knows_no_flags(path):
    """Nothing below the program imports it.

    So all of that can be used without flags, specs and run folders.
    """
    if (room(path) or "").split(".")[0] not in {"program", "studies", "main", "__main__", *DOORS}:
        assert not [
            name
            for name in imported(path)
            if name.startswith(("tfwgan.program", "tfwgan.studies", "absl"))
        ]


@pytest.mark.parametrize("path", [*PACKAGE, *SCRIPTS], ids=label)
def test_nothing_imports_scripts_or_tests(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"scripts", "tests", "conftest"}


@pytest.mark.parametrize(
    "name",
    [
        "program/spec",
        "program/config",
        "program/config_files",
        "program/cli",
        "screen",
        "sampling",
        "render",
        "program/runs",
    ],
)
def test_what_needs_no_tensorflow_imports_none(name):
    assert not {name.split(".")[0] for name in imported(ROOT / "tfwgan" / f"{name}.py")} & {
        "tensorflow",
        "keras",
    }


@pytest.mark.parametrize("path", [*PACKAGE, *SCRIPTS], ids=label)
def test_a_file_has_at_most_300_lines_and_a_telling_name(path):
    assert len(path.read_text().splitlines()) <= 300
    assert path.stem not in {"util", "utils", "common", "helper", "helpers", "misc", "tools"}


def code_lines(function):
    """The lines of a function behind its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions(path):
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]


@pytest.mark.parametrize("path", PACKAGE, ids=label)
def test_a_function_has_at_most_40_lines(path):
    assert [f.name for f in functions(path) if code_lines(f) > 40] == []


def test_most_functions_are_much_shorter():
    lengths = sorted(code_lines(function) for path in PACKAGE for function in functions(path))
    assert lengths[int(0.95 * len(lengths))] <= 25


@pytest.mark.parametrize("path", [*PACKAGE, *SCRIPTS], ids=label)
def test_modules_functions_and_classes_say_what_they_are(path):
    tree = ast.parse(path.read_text())
    empty = path.name == "__init__.py" and not tree.body
    assert empty or ast.get_docstring(tree), f"{label(path)} has no docstring"
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", PACKAGE, ids=label)
def test_nothing_is_checked_by_assert_statements(path):
    assert not [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)
    ]


@pytest.mark.parametrize("path", PACKAGE, ids=label)
def test_importing_a_module_only_defines(path):
    """At the top of a module stand a docstring, imports, definitions and assignments.

    Nothing that acts stands there.
    """
    for node in ast.parse(path.read_text()).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        defines = isinstance(
            node,
            ast.Import
            | ast.ImportFrom
            | ast.FunctionDef
            | ast.ClassDef
            | ast.Assign
            | ast.AnnAssign,
        )
        is_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        is_main = isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
        assert is_docstring or defines or is_types or is_main, f"{label(path)}, line {node.lineno}"


@pytest.mark.parametrize("path", PACKAGE, ids=label)
def test_messages_of_the_library_name_arguments_not_flags(path):
    if (room(path) or "main").split(".")[0] not in {
        "program",
        "studies",
        "main",
        "__main__",
        *DOORS,
    }:
        texts = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
        ]
        assert not [node.value for node in texts if re.search(r"(^|[\s(])--[a-z]", str(node.value))]
