"""Laws of `Config`: flags, files and fields are one thing."""

import dataclasses
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tfwgan.data import DATASETS
from tfwgan.errors import UsageError
from tfwgan.main import main
from tfwgan.metrics import METRICS
from tfwgan.metrics.extractors import EXTRACTORS
from tfwgan.networks import CRITICS, GENERATORS
from tfwgan.objectives import OBJECTIVES
from tfwgan.objectives.penalties import PENALTIES
from tfwgan.optimizers import OPTIMIZERS
from tfwgan.priors import PRIORS
from tfwgan.program import cli, train
from tfwgan.program.config import Config, fields, read_config

ROOT = Path(__file__).parents[1]


def from_flags(*arguments):
    """The configuration of a command line."""
    values = cli.new_flags()
    train.define_flags(values)
    cli.parse(values, arguments)
    return train.resolve(values)


@pytest.fixture
def file(tmp_path):
    """Writes a config file; returns the flag that names it."""

    def write(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return f"--config={path}"

    return write


def test_without_flags_everything_is_the_default():
    assert from_flags() == Config()


def test_a_file_beats_the_defaults_and_a_flag_beats_the_file(file):
    config = file("loss: hinge\nz_dim: 7\n")
    assert from_flags(config) == Config(loss="hinge", z_dim=7)
    assert from_flags(config, "--z_dim=8") == Config(loss="hinge", z_dim=8)


@pytest.mark.parametrize("name", list(fields()))
def test_a_given_flag_beats_the_file_even_with_the_default(name, file):
    default = getattr(Config(), name)
    other = {bool: True, int: 5, float: 0.5, str: "other", tuple: ("swd", "w1")}
    kind = (
        type(default) if default is not None else int if "int" in str(fields()[name].type) else str
    )
    value = "7" if name == "n_critic" else other[kind]
    config = file(f"{name}: {json.dumps(value)}")
    assert getattr(from_flags(config), name) == value
    if kind is tuple:
        assert getattr(from_flags(config, f"--{name}=mmd", f"--{name}=nn"), name) == ("mmd", "nn")
        return
    flag = (
        f"--no{name}" if default is False else f"--{name}={'none' if default is None else default}"
    )
    assert from_flags(config, flag) == Config()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("ema: 1e-3", {"ema": 1e-3}),
        ("ema: 0", {"ema": 0.0}),
        ("seed: '3'", {"seed": 3}),
        ("image_size:", {"image_size": None}),
        ("xla: yes", {"xla": True}),
        ("z_prior: const=64", {"z_prior": "const=64"}),
        ("g_opt: adam-lr=1e-4  # a comment", {"g_opt": "adam-lr=1e-4"}),
        ('{"steps": 10, "name": null}', {"steps": 10}),
    ],
)
def test_values_of_a_file_are_read_by_the_type_of_their_field(text, expected, file):
    assert from_flags(file(text)) == Config(**expected)


@pytest.mark.parametrize(
    "text, message",
    [
        ("los: gan", "has an unknown key 'los'; did you mean 'loss'"),
        ("z_dims: 3", "did you mean 'z_dim'"),
        ("3: gan", "unknown key '3'"),
        ("- loss", "must hold lines of the form key: value"),
        ("", "must hold lines of the form key: value"),
        ("loss: [", "is not valid YAML"),
        ("steps: 10.5", "--steps must be a whole number"),
        ("ema: nan", "--ema must be finite"),
        ("loss: {name: gan}", "must be flat, but line 1 is nested"),
        ("xla: 1", "--xla must be True or False"),
        ("out_dir:", "--out_dir must be"),
    ],
)
def test_a_mistake_in_a_file_is_told_in_one_line(text, message, file):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        from_flags(file(text))
    assert "\n" not in str(caught.value)


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfa")
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "bytes"):
        with pytest.raises(UsageError, match=re.escape(str(path))):
            read_config(path)


CONFIGS = [
    Config(),
    Config(data="folder=/data/my-faces", image_size=64, gray_scale=True, limit_data=100, ema=1e-5),
    Config(name="mine", data_dir="/data", seed=2**63 - 1, xla=True, z_prior='const=4 "quoted"\\'),
]


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_the_json_of_a_configuration_is_a_configuration_file(config, file):
    assert from_flags(file(config.to_json())) == config
    assert json.loads(config.to_json()) == config.as_dict()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("configs")


@settings(deadline=None, max_examples=50, database=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.floats(0, 1, exclude_max=True),
)
@example("folder=/data/\N{CAT FACE}", 0.5)
def test_any_text_and_any_number_survive_the_file(folder, text, number):
    config = Config(data=text, ema=number)
    (folder / "config.json").write_text(config.to_json())
    assert Config(**read_config(folder / "config.json")) == config


def test_flags_are_the_fields():
    values = cli.new_flags()
    train.define_flags(values)
    assert {values[name].name for name in values} == set(fields()) | {
        "config",
        "dry_run",
        "resume",
        "fresh",
        "help",
        "version",
    }
    for name, field in fields().items():
        assert values[name].help.startswith(field.metadata["help"])  # absl adds to that of a list


def test_a_configuration_can_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().seed = 1


BOUNDS = [
    *[
        ({name: value}, f"--{name} must be at least 1, got {value}.")
        for name in (
            "image_size center_crop limit_data batch_size z_dim steps log_steps image_steps "
            "checkpoint_steps keep_checkpoints eval_steps eval_images"
        ).split()
        for value in (0, -3)
    ],
    ({"n_critic": 0}, "schedule 'n_critic=0': n must be at least 1, got 0."),
    ({"n_critic": "five"}, "schedule 'n_critic=five': n must be a whole number, got 'five'."),
    ({"n_critic": "5-warmup=0"}, "warmup must be at least 1"),
    ({"n_critic": "5-first=3"}, "add warmup=25"),
    ({"n_critic": "5-warm=25"}, "did you mean 'warmup'?"),
    ({"ema": 1.0}, "--ema must be in [0, 1), got 1.0."),
    ({"ema": -0.1}, "--ema must be in [0, 1)"),
    ({"ema": float("nan")}, "--ema must be finite"),
    ({"seed": -1}, "--seed must be in [0, 2^63)"),
    ({"seed": 2**63}, "--seed must be in [0, 2^63)"),
    ({"steps": 2.0}, "--steps must be a whole number"),
    ({"steps": None}, "--steps must be a whole number"),
    *[
        ({"name": name}, "--name must be one folder name")
        for name in ("a/b", "/", "..", ".", "a\\b", "a\0b")
    ],
]


@pytest.mark.parametrize("values, message", BOUNDS, ids=[str(values) for values, _ in BOUNDS])
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        Config(**values)


@pytest.mark.parametrize(
    "values", [{"ema": 0}, {"seed": 0}, {"seed": 2**63 - 1}, {"steps": 1}, {"name": "..."}]
)
def test_values_at_the_edge_are_fine(values):
    assert Config(**values).as_dict().items() >= values.items()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def is_one_safe_folder_name(name):
    return (
        name not in ("", ".", "..")
        and Path(name).name == name
        and not set(name) & set("/\\\0\n:*?\"<>|'$ ~")
        and len(name.encode()) <= 255
    )


@settings(deadline=None, max_examples=200, database=None)
@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_the_run_name_is_one_safe_folder_name(data, loss, gen_arch, disc_arch, z_prior):
    config = Config(data=data, loss=loss, gen_arch=gen_arch, disc_arch=disc_arch, z_prior=z_prior)
    assert is_one_safe_folder_name(config.run_name)
    assert config.run_dir.parent == Path("outputs")


@pytest.mark.parametrize(
    "data",
    [
        "folder=/data/my-faces",
        "folder=../up",
        "folder=C:\\faces",
        "folder=~/a b",
        "folder=" + "面" * 100,
    ],
)
def test_the_run_name_of_a_path_is_one_safe_folder_name(data):
    assert is_one_safe_folder_name(Config(data=data).run_name)


def test_the_run_name_says_what_is_compared():
    config = Config(
        data="ring8",
        loss="wgan-clip=0.01",
        z_prior="const=64",
        seed=3,
        gen_arch="MLP",
        disc_arch="MLP",
    )
    assert config.run_name == "ring8_wgan-clip=0.01_MLP_MLP_const=64_s3"
    assert Config(name="mine").run_dir == Path("outputs/mine")


@pytest.mark.parametrize("data", ["ring8", "folder=/" + "x" * 250])
def test_runs_with_different_seeds_have_different_folders(data):
    assert Config(data=data, seed=0).run_name != Config(data=data, seed=1).run_name


TABLES = [
    ("data", DATASETS),
    ("z_prior", PRIORS),
    ("gen_arch", GENERATORS),
    ("disc_arch", CRITICS),
    ("loss", OBJECTIVES),
    ("loss", [f"-{name}=" for name in (*PENALTIES, "clip")]),
    ("g_opt", OPTIMIZERS),
    ("metrics", METRICS),
    ("features", EXTRACTORS),
]


@pytest.mark.parametrize("flag, table", TABLES, ids=[flag for flag, _ in TABLES])
def test_the_help_of_a_flag_names_every_choice(flag, table):
    for name in table:
        assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", fields()[flag].metadata["help"]), name


@pytest.mark.parametrize(
    "statement", ["import tfwgan; dir(tfwgan)", "from tfwgan.main import main; main(['--help'])"]
)
def test_looking_at_the_package_loads_no_tensorflow(statement):
    heavy = "[m for m in ('tensorflow', 'keras', 'numpy') if m in sys.modules]"
    code = f"import sys; {statement}; print({heavy}, file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stderr.strip() == "[]"


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is chosen on x86 only"
)
@pytest.mark.parametrize("chosen, expected", [(None, "1"), ("0", "0")])
def test_one_dnn_is_on_unless_the_user_says_otherwise(chosen, expected, monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if chosen is not None:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", chosen)
    code = (
        "import os\nfrom tfwgan import start\n"
        "with start.quiet_tensorflow(): print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == expected


def test_help_shows_every_flag_and_its_default(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 120
    described = dict(re.findall(r"^  --(\w+): (.*?)(?=\n  --|\n\n|\Z)", out, re.S | re.M))
    for name, field in fields().items():
        text = " ".join(described[name].split())
        assert " ".join(field.metadata["help"].split()) in text
        assert field.default in (None, False, ()) or text.endswith(f"[{field.default}]")
    assert sorted(name for names in train.GROUPS.values() for name in names) == sorted(
        [*fields(), "config", "dry_run", "resume", "fresh"]
    )


def test_public_names_come_from_their_modules():
    import tfwgan

    for name in tfwgan.__all__:
        assert getattr(tfwgan, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = tfwgan.nonsense
