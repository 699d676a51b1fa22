"""Measures the true distance to the data while a generator learns.

Beside each distance stand the numbers that say how to read it.
"""

import functools
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.audit.critic import certified_gap, reads_images_only
from tfwgan.callbacks import guard
from tfwgan.callbacks.steps import StepCallback
from tfwgan.data.dataset import Dataset
from tfwgan.files import write_atomically
from tfwgan.loop import Logs
from tfwgan.metrics.scores import label
from tfwgan.protocols import Metric, RunFolder
from tfwgan.screen import QUIET, Screen


class Evaluate(StepCallback):
    """Measures generated samples against real ones, before training and every `every` steps.

    The last step is measured too.

    The numbers go to the screen, to metrics.jsonl (rows of their own) and to TensorBoard, under
    each metric's key. For the prior ``const=N`` the generated set is all N atoms: its distance is
    that of the whole distribution. Other priors give 1,000 samples. What the critic proves of W1
    stands beside an exact W1: it takes passes over all pairs.

    What only depends on the real samples is kept in the run's references.json, and found once.

    Args:
        run: The run folder.
        writer: Of TensorBoard.
        dataset: The real samples.
        metrics: By their keys, see `tfwgan.metrics`.
        every: Steps between evaluations.
        last: The last step of the run.
        limit: How many real samples are used at most, always the same ones.
        seed: Of the run.
        screen: Where the numbers are shown.
        part: Of these samples: which are looked at.
    """

    def __init__(
        self,
        run: RunFolder,
        writer: tf.summary.SummaryWriter,
        dataset: Dataset,
        metrics: Mapping[str, Metric],
        every: int,
        last: int,
        limit: int,
        seed: int = 0,
        screen: Screen = QUIET,
        part: slice = slice(None),
    ) -> None:
        super().__init__()
        self.run, self.writer, self.metrics = run, writer, metrics
        self.every, self.last, self.screen = every, last, screen
        self._rows = real_rows(len(dataset), limit, seed)[part]
        self._dataset, self._begun = dataset, False
        self._names = [*metrics, "critic"]
        self._newest: dict[str, float] = {}
        self.measured = -1  # the step of the last evaluation
        self._references: dict[str, dict[str, float]] = {}

    @functools.cached_property
    def _real(self) -> np.ndarray:
        """The real samples, which take memory from when training begins."""
        return self._dataset.real(self._rows)

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: D102 - see StepCallback
        super().on_train_begin()
        if not self._begun:
            self._begun = True
            n = len(self.model.evaluation_samples())
            self._references = self._kept_or_found(n)
            if self.step == 0:
                self._evaluate(0)
            for row in (
                self.run.rows()
            ):  # of a run that goes on: what its callbacks monitor is known from the start
                values = {
                    key: value
                    for key, value in row.items()
                    if any(_belongs(key, one, self._names) for one in self._names)
                }
                self._newest = values or self._newest

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        if step % self.every == 0 or step == self.last:
            self._evaluate(step)

    def _kept_or_found(self, n: int) -> dict[str, dict[str, float]]:
        """The numbers of each metric for the real samples.

        They come from the file if that is of these samples and `n`.
        """
        path = self.run.file("references.json")
        kept, entries, found = _read(path), {}, {}
        content = hashlib.sha256(np.ascontiguousarray(self._real).data).hexdigest()
        for name, metric in self.metrics.items():
            about = [
                type(metric).__name__,
                dict(metric.options),
                n,
                list(self._real.shape),
                content,
            ]
            digest = hashlib.sha256(json.dumps(about, default=str).encode()).hexdigest()
            values = _numbers_of(kept.get(name), digest)
            if values is None:
                values = metric.reference(self._real, n)
            else:
                metric.recall(values)
            entries[name], found[name] = {"of": digest, "values": values}, values
        if entries != kept:
            write_atomically(path, (json.dumps(entries, indent=1) + "\n").encode())
        return found

    def _evaluate(self, step: int) -> None:
        fake, upper = self.model.evaluation_samples(), None
        values: dict[str, float] = {}
        if not np.isfinite(fake).all():
            last = guard.last_good(self.run.path / "checkpoints")
            raise guard.NonFiniteLoss(
                f"At step {step}, the generated samples are NaN or infinite. {last}"
            )
        for name, metric in self.metrics.items():
            measured = {**metric.measure(fake, self._real), **self._references[name]}
            upper = metric.upper if upper is None else upper
            values |= {name + suffix: value for suffix, value in measured.items()}
        if upper is not None and reads_images_only(self.model.critic):
            values |= certified_gap(self.model, fake, self._real, upper)
        # JSON has no word for what is not finite: it is left out.
        values = {name: _rounded(value) for name, value in values.items() if math.isfinite(value)}
        self.run.append_row({"step": step, **values})
        with self.writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(f"metrics/{name}", value)
        self._newest, self.measured = values, step
        heads = {
            name: label(name, len(fake), metric.features)
            for name, metric in self.metrics.items()
            if metric.features
        }
        self.screen.say(_lines(step, values, self._names, heads))

    def newest(self) -> dict[str, float]:
        """The numbers of the last evaluation."""
        return dict(self._newest)


def _lines(
    step: int, values: Mapping[str, float], names: Sequence[str], heads: Mapping[str, str]
) -> str:
    """The numbers of an evaluation, one line for each metric.

    A line begins with the distance and goes on with what tells how to read it. Scores of features
    have their protocol at the head.
    """
    lines = []
    for name in names:
        own = {
            key.removeprefix(name).lstrip("_"): value
            for key, value in values.items()
            if _belongs(key, name, names)
        }
        shown = "".join(f"  {key} {value:.4g}".replace("   ", " ") for key, value in own.items())
        lines += [f"  {heads.get(name, name):<10}{shown}"] if own else []
    return "\n".join([f"step {step}, evaluation:", *lines])


def _belongs(key: str, name: str, names: Sequence[str]) -> bool:
    """Whether a number is a metric's; where several names fit its key, the longest one has it."""
    fitting = [other for other in names if key == other or key.startswith(f"{other}_")]
    return bool(fitting) and max(fitting, key=len) == name


def _rounded(value: float) -> float:
    """Rounds a number to the precision of the images.

    Beyond that precision digits may differ, because a solver may start elsewhere.
    """
    with np.errstate(over="ignore"):
        rounded = float(np.float32(value))
    return rounded if math.isfinite(rounded) else float(value)


def _read(path: Path) -> dict[str, Any]:
    """What a file of references holds; nothing if it is not there, or damaged."""
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _numbers_of(entry: object, digest: str) -> dict[str, float] | None:
    """The numbers of one metric, if the entry is whole and of what the digest says."""
    if (
        not isinstance(entry, dict)
        or entry.get("of") != digest
        or not isinstance(entry.get("values"), dict)
    ):
        return None
    values = entry["values"]
    return (
        values
        if all(type(value) is float and math.isfinite(value) for value in values.values())
        else None
    )


def real_rows(size: int, limit: int, seed: int) -> np.ndarray:
    """Which items of a data set are evaluated: `limit` random ones at most, in random order."""
    return np.random.default_rng(rng.stream(seed, "evaluation")).permutation(size)[:limit]
