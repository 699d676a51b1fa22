"""Goes on with a run from its newest checkpoint.

It goes on with what the run was begun with, on the data it was begun on.
"""

from collections.abc import Mapping
from typing import Any

from tfwgan import checkpoint
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.program.config import Config
from tfwgan.program.runs import Run
from tfwgan.trainer import GanTrainer


def about(config: Config, dataset: Dataset) -> dict[str, Any]:
    """What a checkpoint says beside the state: the configuration, and which data they are."""
    return {
        "shape": dataset.shape,
        "n_classes": dataset.n_classes,
        "class_names": dataset.class_names,
        "data": dataset.fingerprint,
        "config": config.as_dict(),
    }


def facts(dataset: Dataset) -> dict[str, Any]:
    """What config.json says beside the settings."""
    return {"class_names": list(dataset.class_names)} if dataset.class_names else {}


def restore(run: Run, config: Config, dataset: Dataset, trainer: GanTrainer) -> dict[str, Any]:
    """Puts the newest checkpoint of a run into a trainer, and cuts metrics.jsonl back to it.

    Returns:
        What the checkpoint says beside the state; nothing if there is none yet.

    Raises:
        UsageError: If the configuration or the data are not those of the checkpoint.
    """
    loaded = checkpoint.load_newest(run.path / "checkpoints")
    if loaded is None:
        run.go_on(config, **facts(dataset))
        run.drop_rows_after(-1)
        return {}
    arrays, meta = loaded
    if other := other_data(meta, dataset):
        raise UsageError(f"Can't resume {run.path} on other data: {other}.")
    run.go_on(config, meta.get("config"), same_data="data" in meta, **facts(dataset))
    checkpoint.restore(trainer, arrays)
    run.drop_rows_after(meta["step"], _unfinished(run, config, meta["step"], trainer))
    return meta


def other_data(meta: Mapping[str, Any], dataset: Dataset) -> str:
    """Says how the data of a checkpoint differ from these.

    The text is empty if they don't, or if an early version did not note them.
    """
    before, now = meta.get("data"), dataset.fingerprint
    if before is None or all(before[key] == now[key] for key in ("digest", "shape", "size")):
        return ""
    was, this = (
        f"{d['name']} ({d['size']:,} of {d['shape']}, digest {d['digest'][:8]})"
        for d in (before, now)
    )
    return f"it was trained on {was}, and this is {this}"


def _unfinished(run: Run, config: Config, step: int, trainer: GanTrainer) -> list[str]:
    """What the row of a step says only because the run ended there.

    The step lies in the middle of an interval that now goes on.
    """
    if step >= config.steps:
        return []
    row = next((row for row in run.rows() if row["step"] == step), {})
    losses = {"seconds", "images_per_second", *trainer.trackers}
    return [
        n
        for n in row
        if n != "step" and step % (config.log_steps if n in losses else config.eval_steps)
    ]
