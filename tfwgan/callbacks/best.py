"""Keeps the checkpoint that a metric likes best, and reports it on data that did not choose it."""

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfwgan import checkpoint, rng
from tfwgan.callbacks.evaluate import Evaluate
from tfwgan.callbacks.record import Clock
from tfwgan.callbacks.steps import StepCallback
from tfwgan.errors import UsageError
from tfwgan.files import write_atomically
from tfwgan.loop import Logs
from tfwgan.protocols import Metric
from tfwgan.screen import QUIET, Screen


class KeepBest(StepCallback):
    """Saves the state whenever an evaluation is better than all before.

    Of many checkpoints the one with the best score is partly the luckiest: its score is too good.
    So one half of the real samples chooses, and the other half, with other generated samples,
    reports. Both numbers go to best.json, the state to best/step_<step>.npz,
    which ``tfwgan evaluate`` and ``tfwgan export`` take.

    Args:
        evaluate: What chooses, which runs before.
        key: Of the metric in its numbers.
        metric: The same metric, for the report.
        real: The samples of the report, float32 `[m, ...]`.
        folder: The run's.
        clock: Of the run.
        about: What is stored beside the state.
        seed: Of the run.
        screen: Where the best is told.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        key: str,
        metric: Metric,
        real: np.ndarray,
        folder: Path,
        clock: Clock,
        about: Mapping[str, Any],
        seed: int = 0,
        screen: Screen = QUIET,
    ) -> None:
        super().__init__()
        self.evaluate, self.key, self.real = evaluate, key, real
        self.metric = copy.copy(metric)  # what it keeps of its real samples is not to be mixed up
        self.folder, self.clock, self.about = folder, clock, about
        self.seed, self.screen = seed, screen

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: D102 - see StepCallback
        super().on_train_begin()
        kept = _read(self.folder / "best.json") if self.step else {}
        # A run that goes on from an older checkpoint makes the later steps again.
        self._best = kept["chosen"] if kept and kept["step"] <= self.step else None

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        if self.evaluate.measured != step:
            return
        value = self.evaluate.newest().get(self.key)
        if value is None or not math.isfinite(value) or not self._better(value):
            return
        self._best = value
        checkpoint.save(
            self.folder / "best", self.model, 1, seconds=self.clock.seconds, **self.about
        )
        reported, n = self._report()
        content = {"metric": self.key, "step": step, "chosen": value, "reported": reported}
        content |= {"features": self.metric.features, "n": n}
        write_atomically(self.folder / "best.json", (json.dumps(content) + "\n").encode())
        shown = "none" if reported is None else f"{reported:.4g}"
        self.screen.say(
            f"  best {self.key} so far: {value:.4g} on the half of the data that chooses, {shown} "
            "on the other"
        )

    def _better(self, value: float) -> bool:
        if self._best is None:
            return True
        return value > self._best if self.metric.larger_is_better else value < self._best

    def _report(self) -> tuple[float | None, int]:
        """The metric on the other half of the data, with as many samples as chose, but others.

        A discrete generator has no others: its atoms are looked at again.
        """
        fake = self.model.evaluation_samples()
        if not self.model.prior.discrete:
            fake = self.model.sample(len(fake), rng.stream(self.seed, "report")).numpy()
        return self.metric.measure(fake, self.real).get(""), len(fake)


def check_key(key: str, metrics: Mapping[str, Metric]) -> None:
    """Raises `UsageError` unless the best can be told by the metric of this name."""
    if key and key not in metrics:
        known = ", ".join(metrics) or "none"
        raise UsageError(
            f"`keep_best={key}` is none of the metrics that are watched (`metrics`: {known})."
        )


def _read(path: Path) -> dict[str, Any]:
    """What was best before; nothing if there is no such file, or it is damaged."""
    try:
        kept = json.loads(path.read_bytes())
        return kept if {"step", "chosen"} <= kept.keys() else {}
    except (OSError, ValueError, AttributeError):
        return {}
