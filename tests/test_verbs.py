"""The command line is seen from outside.

The tests look at verbs, help, streams that are not there, and environments of other people.
"""

import os
import shlex
import subprocess
import sys

import pytest
from conftest import ROOT, TINY

from tfwgan import __version__
from tfwgan.main import main as train
from tfwgan.program.cli import with_dashes
from tfwgan.program.verbs import VERBS, main

FLAGS = [f"--{name}={value}" for name, value in TINY.items()]


def shell(line, cwd, **environment):
    """Runs a line of bash in which $T is this program's train, with tiny flags."""
    command = (
        f'T() {{ "{sys.executable}" -m tfwgan.main {shlex.join(FLAGS)} --name=run "$@"; }}; {line}'
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(["bash", "-c", command], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_within_a_line_and_a_door(verb, capsys):
    assert main([verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: tfwgan {verb}") and max(map(len, out.splitlines())) <= 120
    assert main([verb.replace("-", "_"), "--version"]) == 0
    assert capsys.readouterr().out == f"tfwgan {__version__}\n"
    door = ROOT / "scripts" / f"{verb.replace('-', '_')}.py"
    assert verb in ("train", "options") or f'run("{verb}")' in door.read_text()


@pytest.mark.parametrize(
    "arguments, code, answer",
    [
        ([], 2, "usage: tfwgan VERB"),
        (["--help"], 0, "usage: tfwgan VERB"),
        (["--version"], 0, f"tfwgan {__version__}"),
        (["trian"], 2, "did you mean 'train'"),
        (["--loss=wgan"], 2, "did you mean `tfwgan train --loss=wgan`"),
        (["frobnicate"], 2, "known: train"),
    ],
)
def test_the_program_answers_what_is_no_verb(arguments, code, answer, capsys):
    assert main(arguments) == code
    said = capsys.readouterr()
    assert answer in said.out + said.err and said.err.count("\n") <= 1


@pytest.mark.parametrize(
    "flag, answer",
    [
        ("--lr=1e-4", "--g_opt=adam-lr"),
        ("--epochs=3", "--steps"),
        ("--dataset=mnist", "--data"),
        ("--gpus=2", "--devices=gpu:0,1"),
        ("--batchsize=3", "batch_size"),
        ("--frobnicate", "Unknown"),
    ],
)
def test_flags_of_other_programs_are_told_what_they_mean_here(flag, answer, capsys):
    assert train([flag]) == 2
    err = capsys.readouterr().err
    assert answer in err and err.count("\n") == 1


@pytest.mark.parametrize("name", ["out_dir", "config"])
def test_a_home_folder_is_understood_wherever_a_path_is_taken(name, tmp_path, monkeypatch, capsys):
    from tfwgan.program import cli
    from tfwgan.program import train as verb
    from tfwgan.program.config import Config

    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "c.yaml").write_text("steps: 7\nout_dir: ~/x\ndata_dir: ~/y\n")
    values = cli.new_flags()
    verb.define_flags(values)
    cli.parse(values, ["--config=~/c.yaml"])
    config = verb.resolve(values)
    assert (config.steps, config.out_dir, config.data_dir) == (7, f"{tmp_path}/x", f"{tmp_path}/y")
    assert Config(out_dir="~/runs").run_dir.parent == tmp_path / "runs"
    assert train([f"--{name}=~nosuchuser/x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("what", ["--help", "--dry_run", ""])
@pytest.mark.parametrize("tail", [">/dev/full", "| true"])
@pytest.mark.slow
def test_output_that_can_not_be_written_is_no_traceback(what, tail, tmp_path):
    done = shell(f"T {what} {tail}", tmp_path)
    assert (
        "Traceback" not in done.stderr
        and "Exception ignored" not in done.stderr
        and done.stderr.count("\n") <= 1
    )


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.slow
def test_closed_streams_do_not_keep_a_run_from_its_end(streams, tmp_path):
    done = shell(f"T {streams}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outputs/run/export/saved_model/saved_model.pb").exists()


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_end_the_training(tmp_path):
    done = shell(
        "T --steps=30 --log_steps=1 | head -12 > /dev/null; exit ${PIPESTATUS[0]}", tmp_path
    )
    assert done.returncode == 0 and done.stderr == ""
    assert (tmp_path / "outputs/run/checkpoints/step_000030.npz").exists()


KERAS = (
    '{"backend": "jax", "floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.1}'
)
ENVIRONMENTS = {
    "another backend": {"KERAS_BACKEND": "jax"},
    "no backend": {"KERAS_BACKEND": ""},
    "Keras' own file": {"HOME": "."},
    "another locale": {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "no home": {"HOME": "/nonexistent"},
    "no terminal": {"TERM": "dumb", "COLUMNS": "0"},
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The losses of a run in the environment of these tests."""
    folder = tmp_path_factory.mktemp("plain")
    assert shell("T", folder).returncode == 0
    return losses(folder / "outputs/run/metrics.jsonl")


def losses(path):
    return [
        line.split('"critic_loss"')[1].split('"images_per_second"')[0]
        for line in path.read_text().splitlines()
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.slow
def test_other_peoples_environments_change_nothing(environment, plain, tmp_path):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(KERAS)
    settings = ENVIRONMENTS[environment]
    if settings.get("HOME") == ".":
        settings = {"HOME": str(tmp_path)}
    done = shell("T --out_dir=other", tmp_path, **settings)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "other/run/metrics.jsonl") == plain


def test_the_library_says_that_it_needs_tensorflow(tmp_path):
    code = "import tfwgan\ntry: tfwgan.build\nexcept tfwgan.UsageError as error: print(error)"
    env = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert "KERAS_BACKEND=jax" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("argument", [b"--name=\xff", b"--out_dir=\xfe", b"--data=folder=\xff"])
def test_names_that_are_no_unicode_are_refused(argument, tmp_path, capsys):
    assert train([*FLAGS, f"--out_dir={tmp_path}", os.fsdecode(argument)]) == 2
    err = capsys.readouterr().err
    assert "valid Unicode" in err and err.count("\n") == 1 and list(tmp_path.iterdir()) == []


STUB = '#!/bin/sh\n[ "$1" = --version ] && echo "Python {version}" && exit 0\n{body}\n'


@pytest.mark.parametrize(
    "versions, found",
    [
        ({"python3": "3.10.9"}, None),
        ({"python3": "3.14.0", "python": "3.9.1"}, None),
        ({}, None),
        ({"python3": "3.10.9", "python3.12": "3.12.4"}, "python3.12"),
        ({"python3.11": "3.11.2", "python3.13": "3.13.1", "python3": "3.9.0"}, "python3.13"),
        ({"python3": "3.11.0"}, "python3"),
    ],
)
def test_the_set_up_takes_a_python_that_suits(versions, found, tmp_path):
    """Of stubs that say which version they are, and can do nothing else."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "env", "sh", "rm"):
        (tools / tool).symlink_to(
            f"/bin/{tool}" if os.path.exists(f"/bin/{tool}") else f"/usr/bin/{tool}"
        )
    for name, version in versions.items():
        major, minor, _ = version.split(".")
        fits = 11 <= int(minor) <= 13
        body = (
            f'case "$2" in *version_info*) exit {0 if fits else 1};; '
            "*ensurepip*) exit 0;; esac\nexit 1"
        )
        (tools / name).write_text(STUB.format(version=version, body=body))
        (tools / name).chmod(0o755)
    copy = tmp_path / "checkout"
    (copy / "scripts").mkdir(parents=True)
    for name in ("run_main.sh", "scripts/environment.sh"):
        (copy / name).write_text((ROOT / name).read_text())
    env = {"PATH": str(tools), "HOME": str(tmp_path)}
    done = subprocess.run(
        [tools / "bash", copy / "run_main.sh"], env=env, capture_output=True, text=True
    )
    assert done.returncode == 2 and not (copy / ".venv").exists()
    if found is None:
        assert "needs Python 3.11, 3.12 or 3.13" in done.stderr and done.stderr.count("\n") == 1
    else:
        assert f"with Python {versions[found]}" in done.stdout and "python3-venv" in done.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--help=wgan_gp"], ["--loss=wgan_gp  gp=10.0", "Gulrajani et al., 2017, eq. 3"]),
        (["train", "--help=DCGAN"], ["--gen_arch=DCGAN  nf=64", "--disc_arch=DCGAN", "Args:"]),
        (["options", "--help=w1"], ["--loss=w1", "--metrics=w1  otmeans=False"]),
    ],
)
def test_help_of_a_component_tells_its_options_and_what_it_is(arguments, words, capsys):
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in words)


def test_help_of_an_unknown_component_names_the_nearest(capsys):
    assert main(["train", "--help=wgangp"]) == 2
    assert "did you mean 'wgan_gp'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, shown",
    [
        ("give `image_size`.", "give --image_size."),
        ("try `image_size=32`, 64 or (`data_dir`)", "try --image_size=32, 64 or (--data_dir)"),
        ("`loss=swd-p=4` is no `flag`", "--loss=swd-p=4 is no `flag`"),
        ("image_size=3 and --z_dim stay", "image_size=3 and --z_dim stay"),
    ],
)
def test_the_command_line_shows_the_library_s_arguments_as_its_flags(text, shown):
    assert with_dashes(text, ["image_size", "data_dir", "loss", "z_dim"]) == shown
