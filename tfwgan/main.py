"""Trains one GAN: ``python -m tfwgan.main --loss=wgan_gp``.

Flags become a `Config`, the `Config` an experiment, and the experiment is fitted.
"""

import sys
from collections.abc import Sequence

from absl import flags

from tfwgan import cli
from tfwgan.config import Config, fields, read_config

_USAGE = """\
usage: python -m tfwgan.main [--flag=value ...]

Examples:
  python -m tfwgan.main --loss=wgan_gp
  python -m tfwgan.main --loss=wgan-clip=0.01 --g_opt=rmsprop-lr=1e-4 --d_opt=rmsprop-lr=1e-4
  python -m tfwgan.main --data=ring8 --gen_arch=MLP --disc_arch=MLP --loss=wgan_gp-gp=0.1 --batch_size=256
  python -m tfwgan.main --data=squares --z_prior=const=64 --gen_arch=FC --disc_arch=FC-nf=1024
  python -m tfwgan.main --config=outputs/<run>/config.json --resume

A component is named with its options as name[=value][-option=value]*; a wrong option is answered with the right ones.
"""


def define_flags(values: flags.FlagValues) -> None:
    """Every field of `Config`, plus --config, --dry_run and --resume."""
    flags.DEFINE_string(
        "config", None, "flat YAML or JSON file of these flags; explicit flags beat it", flag_values=values
    )
    flags.DEFINE_bool("dry_run", False, "print the resolved run, its size and cost, then stop", flag_values=values)
    flags.DEFINE_bool("resume", False, "continue the run in the folder, bit for bit", flag_values=values)
    for name, field in fields().items():
        if isinstance(field.default, tuple):
            flags.DEFINE_multi_string(name, None, field.metadata["help"], flag_values=values)
            continue
        define = flags.DEFINE_bool if field.type is bool else flags.DEFINE_string
        default = field.default if field.default is None or field.type is bool else str(field.default)
        define(name, default, field.metadata["help"], flag_values=values)


def resolve(values: flags.FlagValues) -> Config:
    """The configuration: defaults, overridden by the --config file, overridden by flags that were given."""
    settings = read_config(values["config"].value) if values["config"].value is not None else {}
    settings |= {name: values[name].value for name in fields() if values[name].present}
    return Config(**settings)


def train(values: flags.FlagValues) -> int:
    """Builds and fits what the flags say; returns 1 if a loss became NaN or infinite."""
    config = resolve(values)
    with cli.quiet_tensorflow():
        from tfwgan.experiment import NonFiniteLoss, build, fit
        from tfwgan.report import describe, farewell

    dry_run = values["dry_run"].value
    experiment = build(config, dry_run=dry_run)
    print(describe(experiment, cost=dry_run), flush=True)
    if dry_run:
        return 0
    try:
        result = fit(experiment, resume=values["resume"].value)
    except (NonFiniteLoss, OSError) as error:
        print(f"tfwgan: training stopped. {error}", file=sys.stderr)
        return 1
    print(farewell(experiment.config, result))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit code."""
    return cli.run(train, define_flags, _USAGE, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
