"""Whether the parts of a configuration fit each other: heads, latents, labels, norms, codes."""

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.features import couples_batch, heads
from tfwgan.objectives.adversarial import Adversarial
from tfwgan.priors import Info, Prior
from tfwgan.program.config import Config
from tfwgan.program.spec import parse
from tfwgan.protocols import Objective


def check_parts(
    config: Config,
    objective: Objective,
    prior: Prior,
    generator: keras.Model,
    critic: keras.Model | None,
) -> None:
    """Raises `UsageError` if networks or prior lack what the objective needs."""
    flags = {
        name: f"--{name}={getattr(config, name)}" for name in ("loss", "disc_arch", "gen_arch")
    }
    if critic is None:
        if "label" in generator.input:
            raise UsageError(
                f"{flags['gen_arch']} reads labels, which {flags['loss']} does not look at; "
                "leave out -cond=..."
            )
        return
    _check_heads(flags, objective, critic)
    _check_latents(flags, objective, critic)
    _check_labels(flags, objective, generator, critic)
    if "norm" not in parse(config.disc_arch).options:  # not asked for
        _check_norm(flags, objective, critic)
    _check_codes(flags, objective, prior, critic)


def _check_heads(flags: dict[str, str], objective: Objective, critic: keras.Model) -> None:
    for head in objective.heads:
        if head not in heads(critic.output):
            raise UsageError(
                f"{flags['loss']} needs a critic with the head {head!r}, "
                f"and {flags['disc_arch']} has none; {_ADVICE[head]}."
            )


def _check_latents(flags: dict[str, str], objective: Objective, critic: keras.Model) -> None:
    if "z" in critic.input and not objective.reconstructs:
        raise UsageError(
            f"{flags['disc_arch']} reads latents, which only --loss=veegan can pair with images."
        )
    if objective.reconstructs and "z" not in critic.input:
        raise UsageError(
            f"{flags['loss']} needs a critic that reads latents, "
            "such as --disc_arch=MLP-joint=True."
        )


def _check_labels(
    flags: dict[str, str], objective: Objective, generator: keras.Model, critic: keras.Model
) -> None:
    made = "label" in generator.input
    looked_at = "label" in critic.input or "label" in objective.heads
    if looked_at and not made:
        raise UsageError(
            f"{flags['loss']} and {flags['disc_arch']} need a generator that reads labels: "
            f"add -cond=concat to {flags['gen_arch']}."
        )
    if made and not looked_at:
        raise UsageError(
            f"{flags['gen_arch']} reads labels, but {flags['disc_arch']} does not, so they would "
            "come to mean nothing; add -cond=concat or -cond=projection to the critic, "
            "or leave it out of the generator."
        )


def _check_norm(flags: dict[str, str], objective: Objective, critic: keras.Model) -> None:
    penalised = isinstance(objective, Adversarial) and objective.penalties
    if penalised and couples_batch(critic):
        raise UsageError(
            f"{flags['disc_arch']} has batch norm, and {flags['loss']} looks at the slope at each "
            "sample, which has no meaning there (Gulrajani et al., 2017, section 4); add "
            "-norm=none or -norm=layer, or ask for it by -norm=batch."
        )


def _check_codes(
    flags: dict[str, str], objective: Objective, prior: Prior, critic: keras.Model
) -> None:
    if "code" not in objective.heads:
        return
    outputs = heads(critic.output)
    sizes = outputs["category"].shape[1], outputs["code"].shape[1]
    if not isinstance(prior, Info) or (prior.categories, prior.codes) != sizes:
        right = "--z_prior=info-categories={}-codes={}".format(*sizes)
        raise UsageError(
            f"{flags['loss']} guesses the codes that the prior draws, "
            f"as many as {flags['disc_arch']} has: {right}."
        )


_ADVICE = {
    "label": "try SimpleCNN-cond=ac or DCGAN-cond=ac",
    "category": "try SimpleCNN-categories=10-codes=2",
    "code": "try SimpleCNN-categories=10-codes=2",
}
