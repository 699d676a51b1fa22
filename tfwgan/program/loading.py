"""From a `Config` or a run folder to what it names: the data, and the trainer as it was saved."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from tfwgan import checkpoint
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.errors import UsageError
from tfwgan.plain import plain_keras
from tfwgan.program.assemble import make_trainer
from tfwgan.program.config import Config, known_settings, read_config
from tfwgan.program.datasets import load, outline
from tfwgan.program.resume import other_data
from tfwgan.trainer import GanTrainer


def load_data(config: Config) -> Dataset:
    """The data set of a configuration."""
    return load(config.data, **_view(config))


def outline_data(config: Config) -> Outline:
    """What is known of the data set of a configuration without a download."""
    return outline(config.data, **_view(config))


def load_trainer(path: str | Path) -> GanTrainer:
    """The trainer of a run as its newest readable checkpoint left it, or of one checkpoint file.

    It needs no data.

        >>> import tfwgan
        >>> networks = {"gen_arch": "MLP-dim=8", "disc_arch": "MLP-dim=8", "z_dim": 4}
        >>> config = tfwgan.Config(data="ring8-n=64", batch_size=8, steps=2, **networks)
        >>> result = tfwgan.fit(tfwgan.build(config), fresh=True, verbose=False)
        >>> tfwgan.load_trainer(result.run_dir).steps_done
        2

    Args:
        path: A run folder, or a checkpoint in one.

    Raises:
        UsageError: If there is no run, or no readable checkpoint.
    """
    path = Path(path)
    run_dir = path.parent.parent if path.suffix == ".npz" else path
    config = Config(**read_config(run_dir / "config.json"))
    loaded = (
        checkpoint.load(path)
        if path.suffix == ".npz"
        else checkpoint.load_newest(run_dir / "checkpoints")
    )
    if loaded is None:
        raise UsageError(f"{run_dir} has no checkpoint yet.")
    arrays, meta = loaded
    # What was trained is what the checkpoint says, whatever became of config.json.
    config = Config(**known_settings(meta["config"])) if "config" in meta else config
    with plain_keras():
        trainer = make_trainer(
            config, tuple(meta["shape"]), tf.distribute.get_strategy(), meta.get("n_classes")
        )
    trainer.class_names = tuple(meta.get("class_names") or ())
    checkpoint.restore(trainer, arrays)
    return trainer


def load_data_of(run_dir: str | Path) -> Dataset:
    """The data that a run was trained on.

    Raises:
        UsageError: If they can't be had, or are other data by now.
    """
    run_dir = Path(run_dir)
    dataset = load_data(Config(**read_config(run_dir / "config.json")))
    if (newest := checkpoint.load_newest(run_dir / "checkpoints")) is not None:
        if other := other_data(newest[1], dataset):
            raise UsageError(f"{run_dir} was trained on other data: {other}.")
    return dataset


def load_run(run_dir: str | Path) -> tuple[GanTrainer, Dataset]:
    """The trainer of a run as its newest checkpoint left it, and the data it was trained on."""
    return load_trainer(run_dir), load_data_of(run_dir)


def _view(config: Config) -> dict[str, Any]:
    """What a configuration says of its data beside their name."""
    names = ("data_dir", "image_size", "center_crop", "gray_scale", "limit_data")
    return {name: getattr(config, name) for name in names}
