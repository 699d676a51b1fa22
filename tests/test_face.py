"""Laws of the package's face: every public name explains itself, by an example that runs."""

import doctest
import importlib
import inspect
import re
import subprocess
import sys

import pytest
from conftest import ROOT

import tfwgan
from tfwgan import metrics, objectives, priors, transport
from tfwgan.program.assemble import make_metrics

NOUNS = [name for name in tfwgan.__all__ if name != "__version__"]
EXCEPTIONS = {"UsageError", "NonFiniteLoss", "TrainingStopped"}  # one raises no examples


def run_examples(thing, name):
    """Runs the examples in a docstring; returns how many there are."""
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(thing), {}, name, None, 0)
    failures = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=failures.append)
    assert not failures, "".join(failures)
    return len(test.examples)


@pytest.mark.parametrize("name", NOUNS)
def test_every_public_name_explains_itself_by_an_example_that_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    thing = getattr(tfwgan, name)
    assert len(inspect.getdoc(thing)) > 40
    assert run_examples(thing, name) or name in EXCEPTIONS


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_help_of_an_objective_tells_its_options(name):
    thing = objectives.OBJECTIVES[name]
    text = inspect.getdoc(thing)
    assert text != inspect.getdoc(type(thing))
    assert all(f"{option}" in text for option in thing.parameters)


@pytest.mark.parametrize("package", [metrics, objectives, transport])
def test_subpackages_export_what_they_are_about(package):
    assert all(hasattr(package, name) for name in package.__all__)


@pytest.mark.parametrize(
    "table",
    [
        objectives.OBJECTIVES,
        objectives.PENALTIES,
        transport.DISTANCES,
        metrics.METRICS,
        priors.PRIORS,
    ],
)
def test_every_row_of_a_table_is_documented_and_nothing_rewrites_a_signature(table):
    for name, row in table.items():
        assert len(inspect.getdoc(row) or "") > 40, name
        assert "__signature__" not in vars(row), name


def test_the_distances_of_the_tables_are_the_functions_of_the_package():
    for name, distance in transport.DISTANCES.items():
        assert distance in vars(transport).values(), name
        if name != "sinkhorn" and name != "w1":
            (metric,) = make_metrics(
                [name + {"patch_w1": "-p=4", "projected_w1": "-dim=2"}.get(name, "")]
            ).values()
            assert getattr(metric.distance, "func", metric.distance) is distance


def test_type_checkers_see_the_names_that_are_there():
    stub = (ROOT / "tfwgan" / "__init__.pyi").read_text()
    found = re.findall(r"from tfwgan\.([\w.]+) import (\w+) as \2$", stub, re.M)
    assert sorted(name for _, name in found) == sorted(NOUNS)
    for module, name in found:
        assert getattr(importlib.import_module(f"tfwgan.{module}"), name) is getattr(tfwgan, name)


def test_to_import_the_package_costs_nothing():
    code = "import sys, tfwgan; tfwgan.Config; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
