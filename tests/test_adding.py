"""The page on how to add a variant is carried out, and what it adds trains."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "adding.md").read_text()
SECTIONS = {
    title: re.findall(r"```(?:python|markdown)\n(.*?)```", text, re.S)
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
}


def edit_of(block):
    """A block's file, its place, and what to put there."""
    head, code = block.split("\n", 1)
    path, place = head.removeprefix("# ").split(", ", 1)
    return path, place, code


def apply(root, block):
    path, place, code = edit_of(block)
    if place == "new":
        (root / path).write_text(code)
        return
    text = (root / path).read_text()
    if place.startswith("above "):
        row = re.search(rf"^{place.removeprefix('above ')}\b", text, re.M).start()
        text = f"{text[:row]}{code}\n\n{text[row:]}"
    elif place == "among the imports":
        last = list(re.finditer(r"^from tfwgan.*?import (\(.*?\)|[^\n(]+)$", text, re.M | re.S))[-1]
        text = f"{text[: last.end()]}\n{code}{text[last.end() :]}"
    elif re.fullmatch(r"in [A-Z]+", place):
        table = re.search(rf"^{place[3:]}\b.*?= [{{\[]\n?", text, re.M).end()
        text = f"{text[:table]}{code}{text[table:]}"
    else:  # the end, or a table of the README
        text = f"{text.rstrip()}\n\n\n{code}"
    (root / path).write_text(text)


@pytest.mark.parametrize("title", SECTIONS)
def test_an_addition_touches_at_most_three_files_and_says_where(title):
    blocks = SECTIONS[title]
    assert len({edit_of(block)[0] for block in blocks}) <= 3
    for block in blocks:
        path, place, _ = edit_of(block)
        assert place == "new" or (ROOT / path).exists()


@pytest.mark.slow
def test_what_the_page_adds_keeps_the_laws_and_trains(tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".*", "outputs", "first_release"))
    for blocks in SECTIONS.values():
        for block in blocks:
            apply(root, block)

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run("-m", "tfwgan.program.components")
    assert "zero=0.0" in run("-m", "tfwgan", "options", "loss")
    words = "ralsgan or zero or laplace or Affine or energy or table or penalty or rbf or histogram"
    tests = ["penalties", "objectives", "priors", "components", "readme", "networks", "pairs"]
    tests += ["feature_sets"]
    files = [f"tests/test_{name}.py" for name in tests]
    out = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", "-k", words, *files)
    assert int(re.search(r"(\d+) passed", out)[1]) > 30
    flags = (
        "--data=moons-n=64 --loss=ralsgan-zero=0.5 --z_prior=laplace --z_dim=2 --gen_arch=Affine "
        "--disc_arch=MLP-dim=8 --metrics=energy --metrics=rbf_mmd=2 --batch_size=8 --n_critic=1 "
        "--steps=4 --log_steps=2 --eval_steps=2 --name=added"
    )
    run("-m", "tfwgan.main", *flags.split())
    metrics = (root / "outputs/added/metrics.jsonl").read_text()
    rows = [json.loads(row) for row in metrics.splitlines()]
    assert {"zero", "energy", "rbf_mmd", "score_gap", "critic_loss"} <= rows[-1].keys()
