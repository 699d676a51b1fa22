"""`Config`: everything a run depends on, in one frozen dataclass.

Flags, YAML keys and config.json are generated from its fields, so they can't drift apart. The list
is closed: a knob of one component is an option in that component's spec (`tfwgan.program.spec`),
not a field here. Imports no TensorFlow.
"""

import dataclasses
import hashlib
import json
import os
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfwgan.errors import UsageError, text_in
from tfwgan.program.config_files import CONFIGS, find_config, read_settings
from tfwgan.program.spec import build, convert
from tfwgan.schedule import CriticSteps

__all__ = [
    "CONFIGS",
    "FACTS",
    "PATHS",
    "Config",
    "critic_steps",
    "fields",
    "find_config",
    "known_settings",
    "read_config",
]


def critic_steps(text: str) -> CriticSteps:
    """Reads ``5`` or ``5-warmup=25-first=25-every=500``."""
    return build(f"n_critic={text}", {"n_critic": CriticSteps}, "schedule")


def _field(default: Any, help: str) -> Any:  # noqa: A002 - the word of flags
    return dataclasses.field(default=default, metadata={"help": help})


@dataclasses.dataclass(frozen=True)
class Config:
    """What defines a run. Values are checked on construction; specs are read when the run is built.

        >>> from tfwgan import Config
        >>> Config(data="ring8", loss="wgan_lp", gen_arch="MLP", disc_arch="MLP", seed=3).run_name
        'ring8_wgan_lp_MLP_MLP_normal_s3'

    Raises:
        UsageError: If a value has the wrong type or is out of range.
    """

    data: str = _field(
        "fashion_mini",
        "fashion_mini, squares, ring8, grid25, stacked_mnist, tfds=<name> or folder=<path>",
    )
    data_dir: str | None = _field(None, "where prepared TFDS sets lie; default: TFDS' own folder")
    image_size: int | None = _field(
        None, "side in pixels that images are resized to; default: as they are"
    )
    center_crop: int | None = _field(
        None, "side in pixels of a centred square cut out before resizing"
    )
    gray_scale: bool = _field(False, "turn images to one channel of luminance")
    flip: bool = _field(
        False, "mirror each image left to right with probability 1/2 whenever training reads it"
    )
    limit_data: int | None = _field(None, "use only the first so many items")
    batch_size: int = _field(64, "samples per critic or generator update, over all devices")
    z_prior: str = _field(
        "normal",
        "normal, uniform, binary, sphere, "
        "info (InfoGAN's) or const=N (an embedding table of N atoms)",
    )
    z_dim: int = _field(100, "latent size")
    gen_arch: str = _field(
        "DCGAN-norm=batch",
        "generator: FC, MLP, DCGAN, SimpleCNN, ResNet, EigenGAN, FastGAN, OldFastGAN or NewFastGAN",
    )
    disc_arch: str = _field(
        "DCGAN-norm=none-act=leaky",
        "critic: FC, MLP, DCGAN, CNN-GAP=True|False, SimpleCNN, ResNet, EigenGAN, "
        "FastGAN, OldFastGAN or NewFastGAN",
    )
    rec_arch: str = _field("MLP-norm=batch", "reconstructor, which only --loss=veegan has: MLP")
    augment: str = _field(
        "",
        "what images go through before the critic: color, translation, cutout, "
        "noise=0.1-steps=2000, with commas",
    )
    loss: str = _field(
        "wgan_gp",
        "gan, wgan, wgan_gp, wgan_lp, lsgan, hinge, soft_hinge, rpgan, acgan, infogan or veegan, "
        "all with -gp= -lp= -r1= -r2= -clip= -fm= -joint=; or, without a critic, a distance to "
        "the data: w1, sinkhorn, swd, full_dim_swd, projected_w1, patch_w1, "
        "patch_swd or local_patch_swd",
    )
    n_critic: str = _field(
        "5",
        "critic updates per generator update, each on a batch of its own; 5-warmup=25 makes 25 in "
        "the first 25 steps and every 500th one",
    )
    g_opt: str = _field(
        "auto",
        "generator's optimizer: adam, rmsprop or sgd, as in adam-lr=1e-4-schedule=cosine; "
        "auto: the loss's own",
    )
    d_opt: str = _field("auto", "critic's optimizer, likewise")
    ema: float = _field(
        0.999, "decay of the running average of the generator that is shown and exported; 0: none"
    )
    metrics: tuple[str, ...] = _field(
        (),
        "distances to the data to watch, one --metrics=... each: w1 (exact; -otmeans=True adds "
        "the optimum), sinkhorn, swd, full_dim_swd, projected_w1, patch_w1, patch_swd, "
        "local_patch_swd, nn, frechet, mmd, modes=ring8|grid25; and scores of features: fid, "
        "fid_infinity, kid, mind, inception_score, precision, recall, density, coverage, "
        "authenticity, classes, feature_w1, feature_swd",
    )
    features: str = _field(
        "auto",
        "what scores such as fid compare in the place of pixels: fashion_cnn, mnist_cnn, "
        "stacked_mnist_cnn, inception=<file>, efficientnet_lite0, model=<file>, "
        "applications=<name>, projections, pixels; auto: by the images' channels",
    )
    keep_best: str = _field(
        "", "metric by which the best checkpoint is kept, in best/ of the run; one of --metrics"
    )
    eval_steps: int = _field(250, "steps between evaluations of the metrics")
    eval_images: int = _field(10000, "real items per evaluation at most, always the same ones")
    steps: int = _field(3000, "generator updates of the whole run")
    seed: int = _field(0, "seed of weights, data order, latents and all other randomness")
    devices: str = _field(
        "auto",
        "auto (all GPUs, or the CPU), cpu, gpu:0,1 or cpu:2 (the CPU as two logical devices)",
    )
    threads: int | None = _field(
        None,
        "threads that share one operation of the CPU, on which the last digits depend; "
        "default: one for each core",
    )
    xla: bool = _field(False, "compile the updates with XLA (one device only)")
    log_steps: int = _field(50, "steps between rows of metrics.jsonl, each the mean over them")
    image_steps: int = _field(250, "steps between pictures and weight histograms")
    checkpoint_steps: int = _field(250, "steps between checkpoints")
    keep_checkpoints: int = _field(3, "how many of the newest checkpoints to keep")
    out_dir: str = _field("outputs", "folder of runs")
    name: str | None = _field(
        None, "name of the run's folder; default: made from data, loss and networks"
    )

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = convert(getattr(self, field.name), hints[field.name], f"--{field.name}")
            if field.name in PATHS and value is not None:
                value = _expanded(value, f"--{field.name}")
            for text in value if isinstance(value, tuple) else [value]:
                _check_text(text, f"--{field.name}")
            object.__setattr__(self, field.name, value)
        for name in _AT_LEAST_1:
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, got {getattr(self, name)}.")
        critic_steps(self.n_critic)
        if not self.out_dir:
            raise UsageError("--out_dir must be a folder, got ''; the folder you are in is a dot.")
        if not 0 <= self.ema < 1:
            raise UsageError(f"--ema must be in [0, 1), got {self.ema}.")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed must be in [0, 2^63), got {self.seed}.")
        if self.name is not None and (self.name in (".", "..") or set(self.name) & set("/\\\0")):
            raise UsageError(
                f"--name must be one folder name, got {self.name!r}; the parent is --out_dir."
            )
        if self.name is not None and len(self.name.encode()) > _LONGEST_NAME:
            raise UsageError(
                f"--name must be at most {_LONGEST_NAME} bytes long, got {len(self.name.encode())}."
            )

    @property
    def critic_steps(self) -> CriticSteps:
        """How many critic updates each step makes."""
        return critic_steps(self.n_critic)

    @property
    def run_name(self) -> str:
        """The run folder's name: as given, or made readably from what is compared most often."""
        if self.name:
            return self.name
        parts = [self.data, self.loss, self.gen_arch, self.disc_arch, self.z_prior, f"s{self.seed}"]
        name = "_".join(
            "".join(c if c.isalnum() or c in "-=.(),_" else "-" for c in part) for part in parts
        )
        if len(name.encode()) > _LONGEST_NAME:
            digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
            name = f"{name.encode()[: _LONGEST_NAME - 9].decode(errors='ignore')}-{digest}"
        return name

    @property
    def run_dir(self) -> Path:
        """The run folder."""
        return Path(self.out_dir) / self.run_name

    def as_dict(self) -> dict[str, Any]:
        """Every field by name, as the plain values that JSON knows."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    def to_json(self, **facts: Any) -> str:
        """The content of config.json, itself a valid ``--config`` file.

        Nothing of `FACTS` is read back.
        """
        return json.dumps({**self.as_dict(), **facts}, indent=2) + "\n"


_LONGEST_NAME = 200  # bytes; file systems take 255, and files beside it need some
_AT_LEAST_1 = (
    "image_size center_crop limit_data batch_size z_dim steps log_steps image_steps "
    "checkpoint_steps keep_checkpoints eval_steps eval_images threads"
).split()
PATHS = ("data_dir", "out_dir")
FACTS = ("class_names",)  # what config.json says of a run beside its settings


def fields() -> dict[str, dataclasses.Field[Any]]:
    """The fields of `Config` by name; each has its help under ``metadata["help"]``."""
    return {field.name: field for field in dataclasses.fields(Config)}


def known_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The stored settings that this version knows; the others are left out."""
    return {name: value for name, value in values.items() if name in fields()}


def read_config(path: str | Path) -> dict[str, Any]:
    """Reads a flat YAML (or JSON) file of `Config` fields, as `config_files.read_settings` does.

    Args:
        path: A file, or the name of a configuration that comes with the package, such as
            ``ring8_wgan_gp``.

    Raises:
        UsageError: If the file can't be read, isn't flat, or has a key that is unknown or stands
            there twice.
    """
    return read_settings(path, {name: field.type for name, field in fields().items()}, FACTS)


def _expanded(path: str, what: str) -> str:
    """A path with the home folder in the place of ``~``."""
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise UsageError(
            f"{what}={path}: there is no such user; a folder of that name is written ./{path}."
        )
    return expanded


def _check_text(value: Any, what: str) -> None:
    """Raises `UsageError` for text that no file could hold."""
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} must be valid Unicode (UTF-8), got {text_in(value)}.") from None


Config.__doc__ = "\n".join(
    [
        Config.__doc__ or "",
        "Attributes:",
        *(f"    {name}: {one.metadata['help']}." for name, one in fields().items()),
    ]
)
