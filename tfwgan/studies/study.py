"""What all studies share: their settings, training and resuming their runs, and the report."""

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tfwgan import checkpoint
from tfwgan.callbacks.record import Progress, duration
from tfwgan.data.dataset import Dataset
from tfwgan.files import write_atomically
from tfwgan.plots import Curve, line_chart
from tfwgan.program.config import Config
from tfwgan.program.experiment import build, fit
from tfwgan.render import image_grid, save_png, tiles
from tfwgan.screen import Screen
from tfwgan.trainer import GanTrainer

Key = TypeVar("Key")
Settings = dict[str, Any]  # of a run: fields of `Config` by name

_WIDTH = 1600  # about that of grids side by side, in pixels


@dataclasses.dataclass(frozen=True)
class Study:
    """One study on one data set.

    Attributes:
        data: Spec of the data.
        out: Folder of the report; runs lie in `runs/` below it.
        fast: Make it smaller and shorter.
        data_dir: Where prepared TFDS sets lie.
        limit_data: Use the first so many images; None for all.
        seeds: How many seeds, where the study is about several.
        steps: Generator steps of each run, where the study takes them from files.
        base: What its runs have in common.
    """

    data: str
    out: Path
    fast: bool = False
    data_dir: str | None = None
    limit_data: int | None = 10000
    seeds: int = 3
    steps: int | None = None
    base: Config = Config()

    @classmethod
    def at(cls, parent: str | Path, name: str, **options: Any) -> "Study":
        """A study in a folder of its own, named after it, its data and whether it is fast."""
        data = "".join(c if c.isalnum() else "_" for c in options["data"])
        return cls(
            out=Path(parent) / f"{name}_{data}{'_fast' if options['fast'] else ''}", **options
        )

    def config(self, name: str, **settings: Any) -> Config:
        """A configuration of one run of the study."""
        common = {"data": self.data, "data_dir": self.data_dir, "limit_data": self.limit_data}
        folder = {"out_dir": str(self.out / "runs"), "name": name}
        return dataclasses.replace(self.base, **{**common, **folder, **settings})


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished run of a study.

    Attributes:
        trainer: With its final weights.
        dataset: What it was trained on.
        rows: The rows of its metrics.jsonl that hold metrics.
        logged: Those that hold losses, each the mean over an interval.
        seconds: Of training, evaluation included, over all its parts.
    """

    trainer: GanTrainer
    dataset: Dataset
    rows: list[dict[str, float]]
    logged: list[dict[str, float]]
    seconds: float

    @cached_property
    def real(self) -> np.ndarray:
        """All real images, float32 `[M, h, w, c]` in [-1, 1]."""
        return self.dataset.real(slice(None))

    @property
    def labels(self) -> np.ndarray | None:
        """Their classes, int32 `[M]`, or None."""
        return self.dataset.labels

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """Steps and values of a metric, or of a term of the loss."""
        rows = {row["step"]: row for row in (*self.rows, *self.logged) if name in row}
        return list(rows), [row[name] for row in rows.values()]


def train(config: Config, progress_steps: int | None = None) -> Trained:
    """Runs a configuration.

    It takes up what an interrupted study left, and repeats nothing that is finished.

    Args:
        config: The run.
        progress_steps: Steps between lines of progress; by default `config.log_steps`.
    """
    experiment = build(config)
    print(f"\n{config.run_name}: --loss={config.loss}, {config.steps} steps", flush=True)
    own = (
        [Progress(Screen(), progress_steps, config.steps, experiment.images_before)]
        if progress_steps
        else []
    )
    begun = (config.run_dir / "config.json").exists()
    if begun:
        print(
            "finished before" if _finished(config) else f"going on from step {_saved_step(config)}",
            flush=True,
        )
    result = fit(experiment, own, resume=begun, verbose=not own)
    if result.interrupted:
        raise KeyboardInterrupt("stopped, and saved; the same command goes on from there.")
    losses = {"step", "seconds", "images_per_second", *experiment.trainer.trackers}
    logged = [row for row in result.history if "seconds" in row]
    evaluated = [row for row in result.history if row.keys() - losses]
    seconds = max(row["seconds"] for row in logged)
    return Trained(experiment.trainer, experiment.loaded, evaluated, logged, seconds)


def train_all(
    configs: Mapping[Key, Config], progress_steps: int | None = None
) -> dict[Key, Trained]:
    """Runs configurations one after the other as `train` does, see `train_in_turn`."""
    return dict(train_in_turn(configs, progress_steps))


def train_in_turn(
    configs: Mapping[Key, Config], progress_steps: int | None = None
) -> Iterator[tuple[Key, Trained]]:
    """Yields finished runs one after the other, for whom the networks of all are too many.

    It says which one it is at and how long the others will take.
    """
    seconds: list[float] = []
    for number, (key, config) in enumerate(configs.items(), 1):
        ahead = sum(not _finished(other) for other in list(configs.values())[number - 1 :])
        typical = float(np.mean(seconds)) if seconds else 0.0
        left = f", about {duration(typical * ahead)} to go" if typical * ahead else ""
        print(f"\nrun {number} of {len(configs)}{left}", end="")
        trained = train(config, progress_steps)
        seconds.append(trained.seconds)
        yield key, trained


def _saved_step(config: Config) -> int:
    """The step of a run's newest checkpoint, 0 if it has none."""
    newest = checkpoint.paths(config.run_dir / "checkpoints")
    return int(newest[0].stem.removeprefix("step_")) if newest else 0


def _finished(config: Config) -> bool:
    return _saved_step(config) >= config.steps


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """A Markdown table of rows with the same keys; numbers with four significant digits."""
    head = list(rows[0])
    cells = [[_cell(row[key]) for key in head] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *cells])


def report(
    out: Path,
    title: str,
    text: str,
    rows: Sequence[Mapping[str, object]],
    pictures: Mapping[str, np.ndarray],
    curves: Mapping[str, Mapping[str, Curve]],
) -> str:
    """Writes report.md, results.json, results.csv and the pictures of a study.

    It returns the Markdown.

    Args:
        out: The folder.
        title: Of the report.
        text: What was found, in Markdown; stands under the table.
        rows: The table.
        pictures: Images side by side, `[n, h, w, c]` in [-1, 1], or pixels `[h, w, c]`, by file
            name without ending.
        curves: Charts by file name: label to steps and values.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        save_png(image_grid(picture) if picture.ndim == 4 else picture, out / _file(name))
    for name, lines in curves.items():
        chart = line_chart(lines, title=name, x_label="generator steps", log_y=True)
        save_png(chart, out / _file(name))
    shown = [f"![{name}]({_file(name)})" for name in (*pictures, *curves)]
    markdown = "\n\n".join([f"# {title}", table(rows), text, *shown]) + "\n"
    write_atomically(out / "report.md", markdown.encode())
    write_atomically(
        out / "results.json", (json.dumps(list(rows), indent=2, default=float) + "\n").encode()
    )
    lines_of_csv = io.StringIO()
    writer = csv.DictWriter(lines_of_csv, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(out / "results.csv", lines_of_csv.getvalue().encode())
    return markdown


def spread(values: Sequence[float]) -> str | float:
    """Mean and standard deviation, in words; one value is itself."""
    return f"{np.mean(values):.4g} ± {np.std(values):.2g}" if len(values) > 1 else float(values[0])


def side_by_side(
    groups: Mapping[str, np.ndarray], columns: int = 8, gap: int = 12, across: int | None = None
) -> np.ndarray:
    """Puts grids of images next to each other under their names, in the order of the mapping.

    The result is pixels `[h, w, c]`.

    Args:
        groups: Images `[n, h, w, c]` of one size, by name.
        columns: Images per row of a grid.
        gap: White pixels between grids.
        across: Grids next to each other before the next ones begin below; all by default.
    """
    across = across or len(groups)
    width = next(iter(groups.values())).shape[2]
    zoom = max(1, round(_WIDTH / (across * columns * (width + 1))))
    grids = [image_grid(images, columns, title=name, zoom=zoom) for name, images in groups.items()]
    height, width = (max(grid.shape[axis] for grid in grids) for axis in (0, 1))
    same = [
        np.pad(
            grid,
            ((0, height - grid.shape[0]), (0, width - grid.shape[1]), (0, 0)),
            constant_values=255,
        )
        for grid in grids
    ]
    return tiles([same[i : i + across] for i in range(0, len(same), across)], gap)


def _file(name: str) -> str:
    return name.replace(" ", "_") + ".png"


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
