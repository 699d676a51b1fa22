"""From a `Config` to a compiled trainer.

Networks, prior, objective, optimizers and metrics are made here from their specs.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfwgan import rng
from tfwgan.augment import AUGMENTATIONS, Chain
from tfwgan.errors import UsageError
from tfwgan.metrics import FEATURE_METRICS, METRICS
from tfwgan.metrics.extractors import EXTRACTORS, default_features
from tfwgan.metrics.feature_metric import FeatureMetric
from tfwgan.metrics.features import Extractor
from tfwgan.networks import CRITICS, GENERATORS, RECONSTRUCTORS
from tfwgan.objectives import OBJECTIVES, Adversarial
from tfwgan.optimizers import OPTIMIZERS
from tfwgan.priors import PRIORS
from tfwgan.program import spec
from tfwgan.program.config import Config
from tfwgan.program.matching import check_parts
from tfwgan.protocols import Metric, Objective
from tfwgan.trainer import GanTrainer

# The betas of the WGAN-GP code for images; twice its rate, for runs that are short.
ADAM_WGAN_GP = "adam-lr=2e-4-beta_1=0.5-beta_2=0.9"
# The betas of adversarial training; ten times its rate, as the paper's direct baselines (Elnekave
# and Weiss, 2025).
ADAM_DIRECT = "adam-lr=1e-3-beta_1=0.5-beta_2=0.9"
ADAM = "adam-lr=2e-4-beta_1=0.5-beta_2=0.999"  # of DCGAN (Radford et al., 2016)
# Of losses that none of these suits as long as no penalty is asked for.
_PREFERRED = {"wgan": "rmsprop-lr=5e-5", **dict.fromkeys(["wgan_gp", "wgan_lp"], ADAM_WGAN_GP)}


def make_trainer(
    config: Config,
    shape: tuple[int, ...],
    strategy: tf.distribute.Strategy,
    n_classes: int | None = None,
) -> GanTrainer:
    """The compiled trainer of a configuration, for images or points of a shape.

    Labelled data have `n_classes` classes.

    Raises:
        UsageError: If a part is unknown, or does not fit the others.
    """
    config = resolve(config)
    objective = _objective(config, shape, strategy)
    augment = _augment(config, shape, objective)
    context = {"z_dim": config.z_dim, "image_shape": shape, "n_classes": n_classes}

    def network(name: str, table: Mapping[str, Any], kind: str, wanted: bool = True) -> keras.Model:
        return spec.build(getattr(config, name), table, kind, **context) if wanted else None

    with strategy.scope(), rng.seeded_initializers(config.seed):
        prior = spec.build(config.z_prior, PRIORS, "prior", z_dim=config.z_dim)
        generator = network("gen_arch", GENERATORS, "generator")
        critic = network("disc_arch", CRITICS, "critic", objective.uses_critic)
        reconstructor = network("rec_arch", RECONSTRUCTORS, "reconstructor", objective.reconstructs)
        check_parts(config, objective, prior, generator, critic)
        trainer = GanTrainer(
            prior,
            generator,
            critic,
            objective,
            reconstructor=reconstructor,
            augment=augment,
            n_classes=n_classes,
            n_critic=config.critic_steps,
            ema=config.ema,
            seed=config.seed,
            xla=config.xla,
        )
        g_updates, d_updates = config.steps, config.critic_steps.before(config.steps)
        trainer.compile(
            spec.build(config.g_opt, OPTIMIZERS, "generator's optimizer", updates=g_updates),
            spec.build(config.d_opt, OPTIMIZERS, "critic's optimizer", updates=d_updates),
        )
    return trainer


def resolve(config: Config) -> Config:
    """The configuration with the optimizers that its loss prefers in the place of "auto"."""
    preferred = preferred_optimizer(config.loss)
    auto = [name for name in ("g_opt", "d_opt") if getattr(config, name) == "auto"]
    chosen: dict[str, Any] = dict.fromkeys(auto, preferred)
    return dataclasses.replace(config, **chosen)


def preferred_optimizer(loss: str) -> str:
    """The optimizer for both networks that suits a loss, unless another is asked for."""
    objective = make_objective(loss)
    if not objective.uses_critic:
        return ADAM_DIRECT
    penalised = isinstance(objective, Adversarial) and objective.penalties
    return ADAM_WGAN_GP if penalised else _PREFERRED.get(spec.parse(loss).name, ADAM)


@functools.cache  # objectives are values: a spec is read once, whoever asks
def make_objective(text: str) -> Objective:
    """The objective of a spec such as ``wgan_gp-gp=5``; `UsageError` if it is not understood."""
    return spec.build(text, OBJECTIVES, "loss")


def make_augmentation(text: str) -> Chain | None:
    """Reads a list of specs such as ``color,translation,cutout``; None if it is empty.

    A spec may have options, as in ``noise=0.1-steps=2000``.

    Raises:
        UsageError: If an augmentation or an option is not understood.
    """
    if not text.strip():
        return None
    return Chain(tuple(spec.build(part, AUGMENTATIONS, "augmentation") for part in text.split(",")))


def _objective(
    config: Config, shape: tuple[int, ...], strategy: tf.distribute.Strategy
) -> Objective:
    """What is minimised, if it fits the data and what is to run it."""
    if config.xla and strategy.num_replicas_in_sync > 1:
        raise UsageError("--xla works on one device only; leave it out or give one device.")
    objective = make_objective(config.loss)
    objective.check(shape)
    if config.xla and not objective.compiles:
        raise UsageError(
            f"--xla can't compile --loss={config.loss}, which calls an exact solver; "
            "leave --xla out."
        )
    return objective


def _augment(config: Config, shape: tuple[int, ...], objective: Objective) -> Chain | None:
    """What images go through before the critic, if anything."""
    chain = make_augmentation(config.augment)
    if chain is not None:
        chain.check(shape)
        if not objective.uses_critic:
            raise UsageError(
                f"--augment changes what a critic sees, and --loss={config.loss} has none; "
                "leave it out."
            )
    return chain


def make_metrics(
    specs: Sequence[str], features: str = "auto", shape: tuple[int, ...] = (), data: str = ""
) -> dict[str, Metric]:
    """The metrics of a run by the keys that their numbers are written under, see `metric_keys`.

    Those that compare features do it by the extractor `features`, see `make_extractor`.

    Raises:
        UsageError: If a metric is unknown, or two are the same.
    """
    context: dict[str, Extractor] = {}
    if any(spec.parse(text).name in FEATURE_METRICS for text in specs):
        context["features"] = make_extractor(features, shape, data)
    metrics = [spec.build(text, METRICS, "metric", **context) for text in specs]
    return dict(zip(metric_keys(specs, metrics), metrics, strict=True))


def check_counts(metrics: Mapping[str, Metric], trainer: GanTrainer, m: int | None) -> None:
    """Raises `UsageError` if a run has too few samples for one of its scores.

    Args:
        metrics: By their keys.
        trainer: Of the run, which says how many samples are generated.
        m: How many real samples are looked at; None if that is not known.
    """
    n = len(trainer.average_prior.evaluation_latents(1000))
    for key, metric in metrics.items():
        if isinstance(metric, FeatureMetric):
            try:
                metric.check_counts(n, m or n)
            except UsageError as error:
                raise UsageError(f"`metrics={key}`: {error}") from None


def make_extractor(text: str, shape: tuple[int, ...], data: str = "") -> Extractor:
    """What makes features of images or points of a shape, by its spec.

    ``auto`` is what `default_features` says of them, and of the name of the data.

    Raises:
        UsageError: If there is none of that name, or its weights can't be had.
    """
    if text == "auto":
        text = default_features(shape, data)
    return spec.build(text, EXTRACTORS, "features")


def metric_keys(specs: Sequence[str], metrics: Sequence[Metric]) -> list[str]:
    """A key for each metric: its name, with options where several metrics share it.

    The options are those in which these metrics differ.

    ``["w1-otmeans=True", "patch_swd-p=16-s=8", "patch_swd-p=8-s=8"]`` gives ``w1``,
    ``patch_swd_p16`` and ``patch_swd_p8``. Keys hold letters, digits and underscores only.

    Args:
        specs: The metrics, as they were asked for.
        metrics: What was built from them.

    Raises:
        UsageError: If two metrics are the same, however they are spelt.
    """
    names = [spec.parse(text).name for text in specs]
    found = []
    for text, name, metric in zip(specs, names, metrics, strict=True):
        alike = [other.options for other, one in zip(metrics, names, strict=True) if one == name]
        differing = [
            option
            for option in metric.options
            if len({str(options[option]) for options in alike}) > 1
        ]
        key = "_".join(
            [name, *(f"{option}{_plain(metric.options[option])}" for option in differing)]
        )
        if key in found:
            raise UsageError(f"--metrics={text} is asked for twice; leave one out.")
        found.append(key)
    return found


def _plain(value: object) -> str:
    """A value in letters, digits and underscores: 0.1 is ``0p1``, -1 ``m1``."""
    text = str(value).replace(".", "p").replace("-", "m").replace("+", "")
    return "".join(character if character.isalnum() else "_" for character in text)
