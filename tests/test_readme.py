"""The README is true.

Its commands parse, its files exist, and its tables list what the program knows.
"""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from tfwgan.data import DATASETS
from tfwgan.metrics import FEATURE_METRICS, METRICS
from tfwgan.metrics.extractors import EXTRACTORS
from tfwgan.networks import CRITICS, GENERATORS
from tfwgan.objectives import OBJECTIVES
from tfwgan.optimizers import OPTIMIZERS
from tfwgan.priors import PRIORS
from tfwgan.program import cli, train
from tfwgan.program.config import fields, find_config
from tfwgan.program.verbs import VERBS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", README, re.S)
COMMANDS = [
    line.split("#")[0].strip()
    for block in BLOCKS
    for line in block.replace("\\\n", " ").splitlines()
]
COMMANDS = [command for command in COMMANDS if command]


def test_the_two_commands_of_the_first_minute_are_there():
    assert {"bash run_main.sh", "bash scripts/test.sh"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_that_exists(command):
    program, *arguments = shlex.split(command)
    if program == "bash":
        assert (ROOT / arguments[0]).exists()
    elif arguments[:2] == ["-m", "tfwgan.main"]:
        values = cli.new_flags()
        train.define_flags(values)
        assert cli.parse(values, arguments[2:]) == []
        config = values["config"].value
        assert config is None or config.startswith("outputs/") or (ROOT / config).exists()
    elif program == "tfwgan":
        module = importlib.import_module(f"tfwgan.program.{arguments[0].replace('-', '_')}")
        values = cli.new_flags()
        module.define_flags(values)
        cli.parse(values, arguments[1:], module.POSITIONAL, getattr(module, "MANY", False))
        if "config" in values and values["config"].value:
            assert find_config(values["config"].value).exists()
    else:
        assert program in ("git", "cd", "python", "tensorboard")


@pytest.mark.parametrize(
    "table",
    [
        *[DATASETS, PRIORS, GENERATORS, CRITICS, OBJECTIVES, OPTIMIZERS, METRICS],
        *[FEATURE_METRICS, EXTRACTORS],
    ],
)
def test_every_name_of_every_table_is_in_the_readme(table):
    for name in table:
        assert re.search(rf"`{name}\b", README), name


def test_every_flag_is_in_the_readme():
    for name in [*fields(), "config", "dry_run", "resume"]:
        assert f"--{name}" in README, name


def test_every_link_and_every_file_of_the_tree_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    tree = re.search(r"```text\n(tfwgan/.*?)```", README, re.S)[1]
    named = {line.split()[0].rstrip("/") for line in tree.splitlines()}
    verbs = {f"{verb.replace('-', '_')}.py" for verb in [*VERBS, "beside"]}
    rooms = [*(ROOT / "tfwgan").glob("*"), *(ROOT / "tfwgan" / "program").glob("*.py")]
    rooms = {room.name for room in rooms if room.is_dir() or room.suffix == ".py"}
    doors = {"config.py", "experiment.py", "runs.py", "spec.py"}
    assert rooms - verbs - doors - {"__init__.py", "__main__.py", "__pycache__"} <= named
    for line in tree.splitlines():
        name = line.split()[0]
        assert any(
            (ROOT / folder / name).exists() for folder in (".", "tfwgan", "tfwgan/program")
        ), name
