"""From a `Config` to a compiled trainer.

Networks, prior, objective and optimizers are made here, and it is checked whether they fit each
other.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfwgan import rng
from tfwgan.augment import AUGMENTATIONS, Chain
from tfwgan.errors import UsageError
from tfwgan.metrics import METRICS
from tfwgan.networks import CRITICS, GENERATORS, RECONSTRUCTORS
from tfwgan.networks.features import couples_batch, heads
from tfwgan.objectives import OBJECTIVES
from tfwgan.objectives.adversarial import Adversarial
from tfwgan.optimizers import OPTIMIZERS
from tfwgan.priors import PRIORS, Info, Prior
from tfwgan.program import spec
from tfwgan.program.config import Config
from tfwgan.program.spec import parse
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
    if config.xla and strategy.num_replicas_in_sync > 1:
        raise UsageError("--xla works on one device only; leave it out or give one device.")
    critic_steps = config.critic_steps
    objective = spec.build(config.loss, OBJECTIVES, "loss")
    objective.check(shape)
    if config.xla and not objective.compiles:
        raise UsageError(
            f"--xla can't compile --loss={config.loss}, which calls an exact solver; "
            "leave --xla out."
        )
    augment = _augment(config, shape)
    if augment is not None and not objective.uses_critic:
        raise UsageError(
            f"--augment changes what a critic sees, and --loss={config.loss} has none; "
            "leave it out."
        )
    context = {"z_dim": config.z_dim, "image_shape": shape, "n_classes": n_classes}

    def network(
        text: str, table: Mapping[str, Any], kind: str, wanted: bool = True
    ) -> keras.Model | None:
        return spec.build(text, table, kind, **context) if wanted else None

    with strategy.scope(), rng.seeded_initializers(config.seed):
        prior = spec.build(config.z_prior, PRIORS, "prior", z_dim=config.z_dim)
        generator = network(config.gen_arch, GENERATORS, "generator")
        critic = network(config.disc_arch, CRITICS, "critic", objective.uses_critic)
        reconstructor = network(
            config.rec_arch, RECONSTRUCTORS, "reconstructor", objective.reconstructs
        )
        _check(config, objective, prior, generator, critic)
        trainer = GanTrainer(
            prior,
            generator,
            critic,
            objective,
            reconstructor=reconstructor,
            augment=augment,
            n_classes=n_classes,
            n_critic=critic_steps,
            ema=config.ema,
            seed=config.seed,
            xla=config.xla,
        )
        trainer.compile(
            spec.build(config.g_opt, OPTIMIZERS, "generator's optimizer", updates=config.steps),
            spec.build(
                config.d_opt,
                OPTIMIZERS,
                "critic's optimizer",
                updates=critic_steps.before(config.steps),
            ),
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
    objective = spec.build(loss, OBJECTIVES, "loss")
    if not objective.uses_critic:
        return ADAM_DIRECT
    return ADAM_WGAN_GP if objective.penalties else _PREFERRED.get(spec.parse(loss).name, ADAM)


def make_augmentation(text: str) -> Chain | None:
    """Reads a list of specs such as ``color,translation,cutout``; None if it is empty.

    A spec may have options, as in ``noise=0.1-steps=2000``.

    Raises:
        UsageError: If an augmentation or an option is not understood.
    """
    if not text.strip():
        return None
    return Chain(tuple(spec.build(part, AUGMENTATIONS, "augmentation") for part in text.split(",")))


def _augment(config: Config, shape: tuple[int, ...]) -> Chain | None:
    """What images go through before the critic, if anything."""
    chain = make_augmentation(config.augment)
    if chain is not None:
        chain.check(shape)
    return chain


def _check(
    config: Config,
    objective: Objective,
    prior: Prior,
    generator: keras.Model,
    critic: keras.Model | None,
) -> None:
    """Raises `UsageError` if networks or prior lack what the objective needs."""
    loss, critic_spec, generator_spec = (
        f"--{name}={getattr(config, name)}" for name in ("loss", "disc_arch", "gen_arch")
    )
    if critic is None:
        if "label" in generator.input:
            raise UsageError(
                f"{generator_spec} reads labels, which {loss} does not look at; leave out -cond=..."
            )
        return
    said = heads(critic.output)
    for head in objective.heads:
        if head not in said:
            raise UsageError(
                f"{loss} needs a critic with the head {head!r}, "
                f"and {critic_spec} has none; {_ADVICE[head]}."
            )
    if "z" in critic.input and not objective.reconstructs:
        raise UsageError(
            f"{critic_spec} reads latents, which only --loss=veegan can pair with images."
        )
    if objective.reconstructs and "z" not in critic.input:
        raise UsageError(
            f"{loss} needs a critic that reads latents, such as --disc_arch=MLP-joint=True."
        )
    if ("label" in critic.input or "label" in objective.heads) and "label" not in generator.input:
        raise UsageError(
            f"{loss} and {critic_spec} need a generator that reads labels: "
            f"add -cond=concat to {generator_spec}."
        )
    if (
        "label" in generator.input
        and "label" not in critic.input
        and "label" not in objective.heads
    ):
        raise UsageError(
            f"{generator_spec} reads labels, but {critic_spec} does not, so they would come to "
            "mean nothing; add -cond=concat or -cond=projection to the critic, "
            "or leave it out of the generator."
        )
    if (
        isinstance(objective, Adversarial)
        and objective.penalties
        and couples_batch(critic)
        and "norm" not in parse(config.disc_arch).options
    ):
        raise UsageError(
            f"{critic_spec} has batch norm, and {loss} looks at the slope at each sample, which "
            "has no meaning there (Gulrajani et al., 2017, section 4); add -norm=none or "
            "-norm=layer, or ask for it by -norm=batch."
        )
    if "code" in objective.heads:
        sizes = said["category"].shape[1], said["code"].shape[1]
        if not isinstance(prior, Info) or (prior.categories, prior.codes) != sizes:
            right = "--z_prior=info-categories={}-codes={}".format(*sizes)
            raise UsageError(
                f"{loss} guesses the codes that the prior draws, "
                f"as many as {critic_spec} has: {right}."
            )


_ADVICE = {
    "label": "try SimpleCNN-cond=ac or DCGAN-cond=ac",
    "category": "try SimpleCNN-categories=10-codes=2",
    "code": "try SimpleCNN-categories=10-codes=2",
}


def make_metrics(specs: Sequence[str]) -> dict[str, Metric]:
    """The metrics of a run by the keys that their numbers are written under, see `metric_keys`.

    Raises:
        UsageError: If a metric is unknown, or two are the same.
    """
    metrics = [spec.build(text, METRICS, "metric") for text in specs]
    return dict(zip(metric_keys(specs, metrics), metrics, strict=True))


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
