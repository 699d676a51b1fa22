"""What the program says of a run, before and after."""

import shlex
import textwrap
from collections.abc import Iterable, Mapping

from tfwgan.callbacks.record import duration
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.program import cli, cost
from tfwgan.program.config import Config
from tfwgan.program.devices import describe_devices
from tfwgan.program.experiment import Experiment, Result
from tfwgan.program.runs import can_grow

_SHOWN_CLASSES = 40


def describe(experiment: Experiment, costs: bool = False) -> str:
    """The resolved run, told in lines.

    They tell the settings that are not the defaults, the data, the networks, the devices, and if
    asked what the run costs.

    Args:
        experiment: What `build` made.
        costs: Also trace one training step and count its work, and time some; this takes some
            seconds.
    """
    config, trainer = experiment.config, experiment.trainer
    rows = {"run": f"{config.run_dir}", **_settings(config), "data": _data(experiment)}
    rows |= {f"note {i}": remark for i, remark in enumerate(experiment.dataset.remarks, 1)}
    if trainer.n_classes:
        rows["classes"] = _classes(trainer.class_names or map(str, range(trainer.n_classes)))
    networks = {"generator": trainer.generator, "critic": trainer.critic, "prior": trainer.prior}
    for name, network in networks.items():
        if network is not None and network.count_params():
            rows[f"{name}:"] = f"{network.count_params():,} weights"
    rows["devices:"] = f"{describe_devices(experiment.strategy)}, {config.threads} threads"
    if costs:
        rows |= _cost(experiment)
    return _aligned(rows)


def _settings(config: Config) -> dict[str, str]:
    """What is not the default, `--flag` by `--flag`."""
    default, hidden = Config(), ("name", "out_dir", "threads")
    different = {
        n: v for n, v in config.as_dict().items() if v != default.as_dict()[n] and n not in hidden
    }
    always = {name: getattr(config, name) for name in ("data", "gen_arch", "disc_arch", "loss")}
    chosen = {
        name: value for name, value in config.as_dict().items() if name in {**always, **different}
    }
    return {
        f"--{name}": shlex.join(value) if isinstance(value, list) else str(value)
        for name, value in chosen.items()
    }


def _data(experiment: Experiment) -> str:
    """How many of what, and whether their classes count."""
    dataset: Dataset | Outline = experiment.dataset
    form, kind = "x".join(map(str, dataset.shape)), "images" if dataset.is_image else "points"
    items = f"{form} images" if dataset.is_image else f"points of {form} coordinates"
    items = items if dataset.size is None else f"{dataset.size:,} {items}"
    if dataset.n_classes:
        unused = "" if experiment.trainer.n_classes else " (not used: no network reads labels)"
        items = f"{items}, {dataset.n_classes} classes{unused}"
    return (
        items
        if dataset.size is not None
        else f"{items} (number of {kind} unknown until downloaded)"
    )


def _classes(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(f"{i} {name}" for i, name in enumerate(names[:_SHOWN_CLASSES]))
    return shown + (f", ... ({len(names)} in all)" if len(names) > _SHOWN_CLASSES else "")


def _cost(experiment: Experiment) -> dict[str, str]:
    """The work of a step of each kind, the time and the memory of all of them."""
    steps, critic_steps = experiment.config.steps, experiment.critic_steps
    warm = critic_steps.warm_before(steps)
    lines, total, before = [], 0, cost.peak_memory()
    for change in (0, critic_steps.next_change(0)):
        if change >= steps:
            continue
        step = int(change)
        n = critic_steps.at(step)
        one = cost.flop_per_step(experiment.trainer, experiment.element_spec(step))
        total += one * (warm if n != critic_steps.n else steps - warm)
        critic = (
            f"{n} critic update{'s' * (n > 1)} and "
            if experiment.trainer.critic is not None
            else ""
        )
        lines.append(f"{one / 1e9:.3g} GFLOP a step ({critic}1 generator update)")
    seconds, share = cost.seconds_for(experiment.trainer, experiment.element_spec(), total)
    # Steps of fewer samples keep less.
    memory = max(
        cost.peak_memory(),
        before + experiment.config.batch_size * cost.least_memory(experiment.trainer),
    )
    timed = "of whole steps" if share == 1 else f"of steps of {share:.0%} of the work"
    return {
        "cost:": f"{', '.join(lines)}, {total / 1e12:.3g} TFLOP in all",
        "time:": f"about {duration(seconds)} on this machine (the median {timed}; "
        "pictures and metrics come on top)",
        "memory:": f"{'about' if share == 1 else 'more than'} {memory / 2**20:,.0f} MB, "
        "the data included",
    }


def farewell(config: Config, result: Result) -> str:
    """Where everything is, and what to do next."""
    run = result.run_dir
    more = f" --steps={2 * result.step}" if can_grow(config) and result.step >= config.steps else ""
    program, quoted = cli.program(), shlex.quote(str(run))
    resume = f"{program} train --config={shlex.quote(str(run / 'config.json'))} --resume{more}"
    if result.saved_model is None:
        why = f"Stopped by {result.interrupted}" if result.interrupted else "Stopped"
        return (
            f"{why} after step {result.step}; everything is saved in {run}. Go on with:\n  {resume}"
        )
    pictures = sorted((run / "images").glob("step_*.png"))
    places = {
        "pictures": f"{pictures[-1]}, beside {run / 'images' / 'real.png'}"
        if pictures
        else run / "images",
        "numbers": run / "metrics.jsonl",
        "checkpoints": run / "checkpoints",
        "SavedModel": result.saved_model,
    }
    then = [
        f"{cli.python()} -m tensorboard.main --logdir {shlex.quote(str(run / 'tensorboard'))}",
        f"{program} sample {quoted} --n=64 --seed=1 --out=grid.png",
        resume,
    ]
    done = (
        f"Done: {result.step} steps."
        if result.step >= config.steps
        else f"Ended after {result.step} steps."
    )
    return "\n".join(
        [
            done,
            *(f"  {name:<12} {place}" for name, place in places.items()),
            "Next:",
            *(f"  {one}" for one in then),
        ]
    )


def _aligned(rows: Mapping[str, object]) -> str:
    """Two columns, the second one wrapped between its words."""
    width = max(map(len, rows)) + 2
    return "\n".join(
        textwrap.fill(
            str(value),
            cli.WIDTH,
            initial_indent=f"{name:<{width}}",
            subsequent_indent=" " * width,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, value in rows.items()
    )
