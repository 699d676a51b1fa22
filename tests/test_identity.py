"""A run knows what it was trained with and on which data; nothing that was trained is lost."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import TINY

import tfwgan
from tfwgan import checkpoint
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.main import main
from tfwgan.program import experiment
from tfwgan.program.config import Config

pytestmark = pytest.mark.usefixtures("no_export")


def points(seed=0, n=64, d=2):
    return np.random.default_rng(seed).uniform(-1, 1, [n, d]).astype(np.float32)


QUICK = {**TINY, "loss": "wgan"}  # no penalty, whose graph takes long to build


@pytest.fixture
def config(tmp_path):
    return Config(**{**QUICK, "out_dir": str(tmp_path), "name": "run"})


def fit(config, dataset=None, callbacks=(), **options):
    return tfwgan.fit(tfwgan.build(config, dataset), callbacks, verbose=False, **options)


def saved_step(config):
    kept = checkpoint.paths(config.run_dir / "checkpoints")
    return checkpoint.load(kept[0])[1]["step"] if kept else None


OTHERS = {
    "other values": lambda: Dataset("mine", points(1)),
    "another order": lambda: Dataset("mine", points()[::-1].copy()),
    "fewer items": lambda: Dataset("mine", points()[:-1].copy()),
    "labels": lambda: Dataset("mine", points(), np.zeros(64, np.int32)),
    "one bit": lambda: Dataset(
        "mine", np.concatenate([points()[:-1], np.nextafter(points()[-1:], np.float32(0))])
    ),
}


@pytest.mark.parametrize(
    "other",
    ["one bit", *(pytest.param(o, marks=pytest.mark.slow) for o in OTHERS if o != "one bit")],
)
def test_a_run_does_not_go_on_with_other_data(other, config):
    fit(config, Dataset("mine", points()))
    longer, before = (
        dataclasses.replace(config, steps=6),
        checkpoint.paths(config.run_dir / "checkpoints"),
    )
    with pytest.raises(
        UsageError, match="on other data: it was trained on mine .64 of .2., digest"
    ):
        fit(longer, OTHERS[other](), resume=True)
    assert checkpoint.paths(config.run_dir / "checkpoints") == before
    assert fit(longer, Dataset("renamed", points()), resume=True).step == 6


@pytest.mark.slow
def test_a_run_on_arrays_says_so_and_does_not_go_on_without_them(config, capsys):
    result = fit(config, Dataset("mine", points()))
    assert json.loads((result.run_dir / "config.json").read_text())["data"] == "given=mine"
    assert main([f"--config={result.run_dir}/config.json", "--resume", "--steps=6"]) == 2
    err = capsys.readouterr().err
    assert "the data 'mine' were given by a program" in err and err.count("\n") == 1
    with pytest.raises(UsageError, match="given by a program"):
        experiment.load_data_of(result.run_dir)
    assert tfwgan.load_trainer(result.run_dir).steps_done == 4


@pytest.mark.parametrize(
    "name, value",
    [
        ("loss", "wgan=1"),
        *(
            pytest.param(*o, marks=pytest.mark.slow)
            for o in [("seed", 7), ("ema", 0.5), ("batch_size", 4)]
        ),
    ],
)
def test_an_edited_configuration_is_not_gone_on_with(name, value, config, capsys):
    fit(config)
    path = config.run_dir / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    assert main([f"--config={path}", "--resume", "--steps=6"]) == 2
    assert f"{name} was {getattr(config, name)!r}, is {value!r}" in capsys.readouterr().err
    assert (
        tfwgan.load_trainer(config.run_dir).steps_done == 4
    )  # what was trained is what the checkpoint says


@pytest.mark.slow
def test_a_run_goes_on_wherever_it_and_its_data_were_moved(tmp_path):
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for i in range(8):
        Image.fromarray(np.full((16, 16), 20 * i, np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    images = {
        **QUICK,
        "data": f"folder={tmp_path}/photos",
        "gen_arch": "FC-nf=4",
        "disc_arch": "FC-nf=4",
    }
    flags = [
        f"--{name}={value}"
        for name, value in {**images, "steps": 2, "out_dir": tmp_path, "name": "run"}.items()
    ]
    assert main(flags) == 0
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    (tmp_path / "run").rename(tmp_path / "renamed")
    again = [
        f"--config={tmp_path}/renamed/config.json",
        f"--data=folder={tmp_path}/elsewhere",
        "--resume",
    ]
    assert main([*again, "--steps=4"]) == 0
    Image.fromarray(np.full((16, 16), 1, np.uint8)).save(tmp_path / "elsewhere" / "0.png")
    assert main([*again, "--steps=6"]) == 2
    assert saved_step(Config(out_dir=str(tmp_path), name="renamed")) == 4


@pytest.mark.slow
def test_a_run_from_before_fingerprints_goes_on(config):
    fit(config)
    for path in checkpoint.paths(config.run_dir / "checkpoints"):
        arrays, meta = checkpoint.load(path)
        note = json.dumps(
            {name: meta[name] for name in ("step", "seconds", "shape", "n_classes")}
        ).encode()
        np.savez(path, **arrays, **{"meta.json": np.frombuffer(note, np.uint8)})
    assert fit(dataclasses.replace(config, steps=6), resume=True).step == 6


class Stop(keras.callbacks.Callback):
    def __init__(self, how):
        super().__init__()
        self.how = how

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done == 3:
            if isinstance(self.how, BaseException):
                raise self.how
            self.model.stop_training = True


HOWS = [
    ("stop", 2),
    *(
        pytest.param(how, n, marks=pytest.mark.slow)
        for how in (ValueError("mine"), KeyboardInterrupt())
        for n in (2, 100)
    ),
    *(
        pytest.param(how, 2, marks=pytest.mark.slow)
        for how in (MemoryError(), OSError(28, "No space"))
    ),
    pytest.param("stop", 100, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("how, checkpoint_steps", HOWS)
def test_what_a_callback_of_the_users_ends_is_saved_and_goes_on(how, checkpoint_steps, config):
    config = dataclasses.replace(config, steps=8, checkpoint_steps=checkpoint_steps)
    if how == "stop":
        result = fit(config, callbacks=[Stop(how)])
        assert (result.step, result.interrupted) == (3, None) and result.saved_model is not None
    else:
        kind = tfwgan.TrainingStopped if isinstance(how, OSError | MemoryError) else type(how)
        with pytest.raises(kind):
            fit(config, callbacks=[Stop(how)])
    assert saved_step(config) == 3
    assert fit(config, resume=True).step == 8
    straight = dataclasses.replace(config, name="straight")
    fit(straight)
    for name, array in checkpoint.load(checkpoint.paths(config.run_dir / "checkpoints")[0])[
        0
    ].items():
        other = checkpoint.load(checkpoint.paths(straight.run_dir / "checkpoints")[0])[0][name]
        np.testing.assert_array_equal(array, other, err_msg=name)


def test_a_metric_can_stop_a_run(config):
    config = dataclasses.replace(config, steps=8, metrics=("swd",), eval_steps=2)
    stop = keras.callbacks.EarlyStopping("swd", mode="min", patience=1, min_delta=1e9)
    result = fit(config, callbacks=[stop])
    assert result.step == saved_step(config) == 4
    assert [row["step"] for row in result.history if "swd" in row] == [0, 2, 4]


@pytest.mark.slow
def test_memory_that_is_full_is_told_with_what_is_saved(config, monkeypatch):
    parts = tfwgan.build(dataclasses.replace(config, steps=8))
    real = parts.trainer.step_function

    def step_function(n):
        step = real(n)

        def full(iterator):
            if parts.trainer.steps_done == 5:
                raise tf.errors.ResourceExhaustedError(
                    None, None, "OOM when allocating tensor with shape[9]"
                )
            return step(iterator)

        return full

    monkeypatch.setattr(parts.trainer, "step_function", step_function)
    with pytest.raises(
        tfwgan.TrainingStopped, match="Memory is full; use a smaller `batch_size`.*step_000004.npz"
    ):
        tfwgan.fit(parts, verbose=False)


@pytest.mark.slow
def test_a_disk_that_is_full_at_the_export_is_told_with_what_is_saved(config, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(experiment, "export_saved_model", full)
    with pytest.raises(
        tfwgan.TrainingStopped, match="saved in .*No space left on device.*tfwgan export"
    ) as caught:
        fit(config)
    assert "\n" not in str(caught.value) and saved_step(config) == 4


@pytest.mark.slow
def test_another_run_can_be_started_beside_the_first(config, capsys):
    assert fit(config).run_dir.name == "run"
    with pytest.raises(UsageError, match="fresh=True"):
        fit(config)
    assert [fit(config, fresh=True).run_dir.name for _ in range(2)] == ["run-2", "run-3"]
    flags = [
        f"--{name}={value}"
        for name, value in {**QUICK, "out_dir": config.out_dir, "name": "run"}.items()
    ]
    assert main(flags) == 2 and "--fresh" in capsys.readouterr().err
    assert main([*flags, "--fresh"]) == 0 and "run-4" in capsys.readouterr().out


@pytest.mark.slow
def test_a_longer_run_has_the_rows_of_one_that_was_long_from_the_start(config):
    odd = dataclasses.replace(config, steps=5, log_steps=3, eval_steps=4, metrics=("swd",))
    fit(odd)
    longer = dataclasses.replace(odd, steps=9)
    rows = fit(longer, resume=True).history
    straight = fit(dataclasses.replace(longer, name="straight")).history
    clocks = ("seconds", "images_per_second")
    assert [{k: v for k, v in row.items() if k not in clocks} for row in rows] == [
        {k: v for k, v in row.items() if k not in clocks} for row in straight
    ]


@pytest.mark.parametrize("number, other", [(1, 2), (2, 1)])
def test_logged_means_survive_another_number_of_replicas(number, other):
    """Keras takes the mean over replicas of what each has added up."""

    class Trainer:
        def __init__(self, replicas):
            self.total, self.count = ([tf.Variable(0.0) for _ in range(replicas)] for _ in range(2))
            variables = [
                type("V", (), {"value": type("P", (), {"values": part})})
                for part in (self.total, self.count)
            ]
            self.metrics = [type("Mean", (), {"variables": variables})]

        def see(self, *values):
            for value in values:
                for total, count in zip(self.total, self.count, strict=True):
                    total.assign_add(value)
                    count.assign_add(1.0)

        @property
        def mean(self):
            return np.mean(
                [float(t) / float(c) for t, c in zip(self.total, self.count, strict=True)]
            )

    before, after = Trainer(number), Trainer(other)
    before.see(*[2.0] * 5)
    checkpoint.set_means(after, checkpoint.means(before))
    after.see(*[1.0] * 5)
    assert after.mean == pytest.approx(1.5)


@pytest.mark.slow
def test_threads_are_part_of_a_run(config, monkeypatch):
    result = fit(config)
    threads = json.loads((result.run_dir / "config.json").read_text())["threads"]
    assert threads >= 1
    with pytest.raises(
        UsageError, match="threads=.* can't be set up any more: TensorFlow already runs"
    ):
        tfwgan.build(dataclasses.replace(config, threads=threads + 1))
    monkeypatch.setattr(experiment, "fix_threads", lambda _: threads + 1)
    with pytest.raises(UsageError, match=f"threads was {threads}, is {threads + 1}"):
        fit(dataclasses.replace(config, steps=6), resume=True)


SETTINGS = {
    "half": lambda: keras.config.set_dtype_policy("mixed_float16"),
    "brain": lambda: keras.config.set_dtype_policy("mixed_bfloat16"),
    "double": lambda: keras.config.set_floatx("float64"),
    "half everywhere": lambda: keras.config.set_floatx("float16"),
    "channels first": lambda: keras.config.set_image_data_format("channels_first"),
    "a large epsilon": lambda: keras.config.set_epsilon(1e-2),
    "all": lambda: [
        SETTINGS[name]()
        for name in ("half everywhere", "channels first", "a large epsilon", "half")
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "critic, loss, setting",
    [
        *(("DCGAN-nf=2-norm=none", "wgan_gp", name) for name in SETTINGS if name != "all"),
        ("FC-nf=8", "wgan", "all"),
    ],
)
def test_global_settings_of_keras_change_nothing_and_stay(critic, loss, setting, tmp_path):
    images = {
        "data": "squares-size=16-square=3",
        "gen_arch": "DCGAN-nf=2-norm=batch",
        "disc_arch": critic,
        "loss": loss,
    }
    config = Config(**{**QUICK, **images, "steps": 2, "out_dir": str(tmp_path), "name": "plain"})
    plain = fit(config).history
    get = keras.config
    before = get.floatx(), get.image_data_format(), get.epsilon(), get.dtype_policy()
    try:
        SETTINGS[setting]()
        held = get.floatx(), get.image_data_format(), get.epsilon(), get.dtype_policy()
        other = fit(dataclasses.replace(config, name="other")).history
        assert (get.floatx(), get.image_data_format(), get.epsilon(), get.dtype_policy()) == held
    finally:
        get.set_floatx(before[0])
        get.set_image_data_format(before[1])
        get.set_epsilon(before[2])
        get.set_dtype_policy(before[3])
    assert [row["critic_loss"] for row in plain] == [row["critic_loss"] for row in other]
    shutil.rmtree(tmp_path / "other")
