"""What specs may say is known without TensorFlow, and is what the tables say."""

import json
import subprocess
import sys
from importlib.resources import files

import pytest
from conftest import ROOT

from tfwgan.errors import UsageError
from tfwgan.program import components, spec
from tfwgan.program.config import Config
from tfwgan.program.verbs import main


def test_the_list_is_what_the_tables_say():
    """If this fails: python -m tfwgan.program.components"""
    stored = json.loads((files("tfwgan.program") / "components.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(components.tables()))


@pytest.mark.parametrize("field", components.FAMILIES)
def test_options_survive_the_list(field):
    _, module, table, context = components.FAMILIES[field]
    factories = getattr(__import__(module, fromlist=[table]), table)
    for name, factory in factories.items():
        wanted = {
            key: option for key, option in spec.options_of(factory).items() if key not in context
        }
        known = components.known(field)[name]
        assert list(known) == list(wanted)
        for key, option in wanted.items():
            assert known[key].hint == option.hint, (name, key)
            assert known[key].default == (
                list(option.default) if isinstance(option.default, tuple) else option.default
            )


@pytest.mark.parametrize("field", [one for one in components.FAMILIES if one != "scores"])
def test_a_typo_is_answered_before_tensorflow_is_loaded(field, tmp_path):
    name = next(iter(components.known(field)))
    code = (
        "import sys; from tfwgan.main import main; code = main(sys.argv[1:])\n"
        "loaded = [m for m in ('tensorflow', 'keras', 'numpy') if m in sys.modules]; "
        "print(loaded); sys.exit(code)"
    )
    for text in (f"{name}x", f"{name}-no_such=1"):
        command = [sys.executable, "-c", code, f"--{field}={text}", f"--out_dir={tmp_path}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2 and done.stdout.strip() == "[]", done.stderr
        assert done.stderr.count("\n") == 1 and (
            "did you mean" in done.stderr or "has no option" in done.stderr
        )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"g_opt": "auto", "d_opt": "adam-lr=1e-4-schedule=cosine"},
        {"augment": "color, translation,noise=0.1-steps=2000"[:5]},
        {"augment": "color,translation,noise=0.1-steps=2000"},
        {"metrics": ("w1", "modes=ring8")},
        {"data": "given=mine"},
        {"data": "folder=/data/my-faces"},
    ],
)
def test_what_is_right_passes(settings):
    components.check(Config(**settings))


@pytest.mark.parametrize(
    "settings, answer",
    [
        ({"metrics": ("w1,swd",)}, "give each its own --metrics"),
        ({"loss": "WGAN_GP"}, "did you mean 'wgan_gp'"),
        ({"gen_arch": "dcgan"}, "did you mean 'DCGAN'"),
        ({"disc_arch": "DCGAN-nf=many"}, "nf must be a whole number"),
        ({"z_prior": "const"}, "needs a value"),
        ({"augment": "color,colour"}, "did you mean 'color'"),
    ],
)
def test_what_is_wrong_is_told(settings, answer):
    with pytest.raises(UsageError, match=answer):
        components.check(Config(**settings))


def test_options_lists_every_component(capsys):
    assert main(["options"]) == 0
    out = capsys.readouterr().out
    for field in components.FAMILIES:
        assert f"--{field}\n" in out
        for name, options in components.known(field).items():
            line = next(line for line in out.splitlines() if line.split()[:1] == [name])
            assert all(f"  {key}=" in line for key in options) or field in (
                "d_opt",
                "disc_arch",
                "rec_arch",
                "metrics",
            )
    assert main(["options", "los"]) == 2 and "did you mean 'loss'" in capsys.readouterr().err
