"""What the program says of a run, before and after."""

import shutil
import sys
from pathlib import Path

from tfwgan.config import Config
from tfwgan.cost import flop_per_step
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.experiment import Experiment, Result
from tfwgan.runs import can_grow


def describe(experiment: Experiment, cost: bool = False) -> str:
    """The resolved run: every setting, data, networks with their numbers of weights, and if asked the cost.

    Args:
        experiment: What `build` made.
        cost: Also trace one training step and count its work, which takes some seconds.
    """
    config, dataset, trainer = experiment.config, experiment.dataset, experiment.trainer
    lines = ["  ".join(f"{name}={value}" for name, value in group) for group in _chunks(config.as_dict().items(), 5)]
    lines.append(f"data: {_data(dataset)}")
    networks = {"generator": trainer.generator, "critic": trainer.critic, "prior": trainer.prior}
    for name, network in networks.items():
        if network is not None and network.count_params():
            lines.append(f"{name}: {network.count_params():,} weights")
    lines.append(f"devices: {experiment.strategy.num_replicas_in_sync}")
    if cost:
        lines.append(_cost(experiment))
    return "\n".join(lines)


def _data(dataset: Dataset | Outline) -> str:
    """How many of what."""
    kind = "images" if dataset.is_image else "points"
    count = "" if dataset.size is None else f"{dataset.size:,} "
    classes = f", {dataset.n_classes} classes" if dataset.n_classes else ""
    doubt = f" (number of {kind} unknown until downloaded)" if dataset.size is None else ""
    return f"{count}{'x'.join(map(str, dataset.shape))} {kind}{classes}{doubt}"


def _cost(experiment: Experiment) -> str:
    """The work of a step of each kind, and of all of them."""
    steps, critic_steps = experiment.config.steps, experiment.critic_steps
    warm = critic_steps.warm_before(steps)
    lines, total = [], 0
    for step in (0, critic_steps.next_change(0)):
        if step >= steps:
            continue
        n = critic_steps.at(step)
        one = flop_per_step(experiment.trainer, experiment.element_spec(step))
        total += one * (warm if n != critic_steps.n else steps - warm)
        critic = f"{n} critic update{'s' * (n > 1)} and " if experiment.trainer.critic is not None else ""
        lines.append(f"{one / 1e9:.3g} GFLOP a step ({critic}1 generator update)")
    return f"cost: {', '.join(lines)}, {total / 1e12:.3g} TFLOP in all"


def farewell(config: Config, result: Result) -> str:
    """Where everything is, and what to do next."""
    run, more = result.run_dir, f" --steps={2 * result.step}" if can_grow(config) else ""
    python = _python()
    resume = f"{python} -m tfwgan.main --config={run / 'config.json'} --resume"
    if result.saved_model is None:
        why = f"Stopped by {result.interrupted}" if result.interrupted else "Stopped"
        return f"{why} after step {result.step}; everything is saved in {run}. Go on with:\n  {resume}"
    pictures = sorted((run / "images").glob("step_*.png"))
    return "\n".join(
        [
            f"Done: {result.step} steps.",
            f"  pictures     {pictures[-1]}, beside {run / 'images' / 'real.png'}",
            f"  numbers      {run / 'metrics.jsonl'}",
            f"  checkpoints  {run / 'checkpoints'}",
            f"  SavedModel   {result.saved_model}",
            "Next:",
            f"  {python} -m tensorboard.main --logdir {run / 'tensorboard'}",
            f"  {python} scripts/sample.py {result.saved_model} --n=64 --seed=1 --out=grid.png",
            f"  {resume}{more}",
        ]
    )


def _python() -> str:
    """How to call this interpreter from the same shell: its name if that finds it, else its path."""
    here = Path(sys.executable)
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and Path(found) == here:
            return name
    return str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here)


def _chunks(items, size: int) -> list[list]:
    items = list(items)
    return [items[i : i + size] for i in range(0, len(items), size)]
