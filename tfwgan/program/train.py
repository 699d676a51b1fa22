"""Trains one GAN.

Flags become a `Config`, the `Config` an experiment, and the experiment is fitted. All that can be
told without TensorFlow is checked before that is loaded.
"""

import os
import sys
from pathlib import Path

from absl import flags

from tfwgan.program import cli, components
from tfwgan.program.config import Config, fields, find_config, read_config
from tfwgan.program.runs import Run, renamed
from tfwgan.screen import Screen
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan train [--flag=value ...]      (the same: python -m tfwgan.main)

Examples:
  tfwgan train --loss=wgan_gp
  tfwgan train --config=ring8_wgan_gp
  tfwgan train --loss=wgan-clip=0.01 --g_opt=rmsprop-lr=1e-4 --d_opt=rmsprop-lr=1e-4
  tfwgan train --data=squares --z_prior=const=64 --gen_arch=FC --disc_arch=FC-nf=1024
  tfwgan train --data=folder=photos --image_size=64 --dry_run
  tfwgan train --config=outputs/RUN/config.json --resume

A component is named with its options as name[=value][-option=value]*. `tfwgan options loss` lists
the losses and their options; likewise data, z_prior, gen_arch, disc_arch, metrics and the others.
"""
POSITIONAL = ()
GROUPS = {
    "Run": "config dry_run resume fresh out_dir name seed devices threads xla".split(),
    "Data": "data data_dir image_size center_crop gray_scale flip limit_data batch_size".split(),
    "Model": "z_prior z_dim gen_arch disc_arch rec_arch augment ema".split(),
    "Training": "loss n_critic g_opt d_opt steps".split(),
    "Output": (
        "metrics features keep_best eval_steps eval_images log_steps image_steps checkpoint_steps "
        "keep_checkpoints"
    ).split(),
}


def define_flags(values: flags.FlagValues) -> None:
    """Every field of `Config`, plus --config, --dry_run, --resume and --fresh."""
    cli.define_path(
        "config",
        None,
        "flat YAML or JSON file of these flags, "
        "or the name of one that comes with the package; explicit flags beat it",
        values,
    )
    flags.DEFINE_bool(
        "dry_run", False, "print the resolved run, its size, work and time, then stop", values
    )
    flags.DEFINE_bool("resume", False, "continue the run in the folder, bit for bit", values)
    flags.DEFINE_bool(
        "fresh", False, "where the folder holds a run already, start another beside it", values
    )
    for name, field in fields().items():
        if isinstance(field.default, tuple):
            flags.DEFINE_multi_string(name, None, field.metadata["help"], flag_values=values)
            continue
        define = flags.DEFINE_bool if field.type is bool else flags.DEFINE_string
        default = (
            field.default if field.default is None or field.type is bool else str(field.default)
        )
        define(name, default, field.metadata["help"], flag_values=values)


def resolve(values: flags.FlagValues) -> Config:
    """The configuration: defaults, overridden by the --config file and then by given flags.

    The config.json of a run that is resumed also says where the run lies, wherever it was moved
    since.
    """
    source = values["config"].value
    settings = read_config(source) if source is not None else {}
    if source is not None and values["resume"].value:
        settings |= _place(find_config(source))
    settings |= {name: values[name].value for name in fields() if values[name].present}
    return Config(**settings)


def command(values: flags.FlagValues) -> int:
    """Builds and fits what the flags say; returns 1 if training ended before its time by itself."""
    config = resolve(values)
    components.check(config)
    dry_run, resume, fresh = (values[name].value for name in ("dry_run", "resume", "fresh"))
    if not dry_run:
        config = renamed(config) if fresh else config
        Run.check(config, resume)
    with quiet_tensorflow():
        from tfwgan.program.describe import describe, farewell
        from tfwgan.program.experiment import build, fit

    experiment = build(config, dry_run=dry_run)
    if dry_run:
        print(describe(experiment, costs=True), flush=True)
        return 0
    screen = Screen()
    screen.say(describe(experiment))
    try:
        result = fit(experiment, resume=resume)
    except (RuntimeError, OSError) as error:
        if (text := _reason(error)) is None:
            raise
        print(f"tfwgan: training stopped. {cli.with_dashes(text, values)}", file=sys.stderr)
        return 1
    screen.say(farewell(experiment.config, result))
    return 0


def _place(path: Path) -> dict[str, str]:
    """Folder and name of the run that a config.json lies in; nothing of another file."""
    if path.name != "config.json" or not (path.parent / ".lock").exists():
        return {}
    run = Path(os.path.abspath(path.parent))
    return {
        "out_dir": os.path.relpath(run.parent) if not path.is_absolute() else str(run.parent),
        "name": run.name,
    }


def _reason(error: Exception) -> str | None:
    """Why training stopped, if that is no defect of the program."""
    from tfwgan.program.experiment import NonFiniteLoss, TrainingStopped

    return str(error) if isinstance(error, NonFiniteLoss | TrainingStopped | OSError) else None
