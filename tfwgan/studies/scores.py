"""Which GAN draws clothes best, and is the order that which its authors found on CIFAR-10?

The runs are the small siblings of the table of GANs-Implementations in `docs/seeds.md`, each by its
own file. Scores are as those of `tfwgan evaluate <run> --n=10000`: of features of the bundled
classifier of clothes, against all images that the run was trained on, in the size that it saw. So
no FID here is one of the authors', which are of Inception's features; only the order can be
compared.
"""

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata, spearmanr

from tfwgan.metrics.feature_metric import as_items
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.metrics.scores import SCORES
from tfwgan.plots import named_points
from tfwgan.program.assemble import make_extractor
from tfwgan.studies.of_files import Numbers, config_of, kept, sample_rows
from tfwgan.studies.study import Study, Trained, report, spread, train_in_turn

SAMPLES = {True: 1000, False: 10000}  # that are scored, fast or not
COLUMNS = 20  # samples in the picture of each model: all ten classes twice

_SCORES = {"FID": "fid", "KID": "kid", "precision": "precision", "recall": "recall"}  # by column
_INTRA = {"FID of a class": "intra_fid"}  # of conditional models
_OPTIONS = {"fid": {"replicates": 0}}

Sets = dict[tuple[int, ...], FeatureSet]  # features of real images, by the shape of one


@dataclasses.dataclass(frozen=True)
class Model:
    """A GAN of the comparison.

    Attributes:
        file: Of `configs/`, which says how it is trained.
        there: The FID that the authors of GANs-Implementations state for CIFAR-10; None where they
            state none.
    """

    file: str
    there: float | None = None


MODELS: Mapping[str, Model] = {
    "DCGAN": Model("gan_fashion", 24.7311),
    "WGAN": Model("fashion_wgan", 49.9169),
    "WGAN-GP": Model("fashion_wgan_gp", 28.7963),
    "SNGAN": Model("sngan_fashion", 24.9151),
    "SNGAN, hinge": Model("hinge_fashion", 28.5197),
    "LSGAN": Model("lsgan_fashion", 28.4850),
    "CGAN": Model("cgan_fashion", 25.4999),
    "CGAN, cBN": Model("cgan_cbn_fashion", 25.3466),
    "ACGAN": Model("acgan_fashion", 19.9154),
    "R3GAN's loss": Model("r3gan_fashion"),
    "InfoGAN": Model("infogan_fashion"),
}


@dataclasses.dataclass
class _Found:
    """What the runs of one model gave, in the order of their seeds."""

    steps: int = 0
    numbers: list[Numbers] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)
    samples: list[np.ndarray] = dataclasses.field(default_factory=list)  # of the first seed only

    def mean(self, name: str) -> float:
        """Of a number, over the seeds."""
        return float(np.mean([one[name] for one in self.numbers]))


def run(study: Study) -> str:
    """Trains every model with every seed, scores it, writes the report; returns it."""
    configs = {
        (name, seed): config_of(study, model.file, seed)
        for seed, (name, model) in itertools.product(range(study.seeds), MODELS.items())
    }
    found, sets, n = {name: _Found() for name in MODELS}, Sets(), SAMPLES[study.fast]
    for (name, seed), trained in train_in_turn(configs, progress_steps=500):
        one, path = found[name], configs[name, seed].run_dir / "scores.json"
        one.steps = trained.trainer.steps_done
        about = {"steps": one.steps, "n": n}
        one.numbers.append(kept(path, about, functools.partial(scores_of, trained, n, sets)))
        one.seconds.append(trained.seconds)
        if seed == 0:
            one.samples.append(trained.trainer.evaluation_samples(COLUMNS))
    order = sorted(found, key=lambda name: found[name].mean("FID"))
    here, there = both(found, order)
    chart = named_points(
        {name: (there[name], here[name]) for name in here},
        "FID of each model",
        "there: CIFAR-10, Inception",
        f"here: {study.data}",
    )
    pictures = {"samples": sample_rows({name: found[name].samples[0] for name in order})}
    return report(
        study.out,
        f"Scores, {study.data}",
        _text(study, found, list(here.values()), list(there.values())),
        rows_of(found, order),
        {**pictures, **({"order": chart} if here else {})},
        {},
    )


def scores_of(trained: Trained, n: int, sets: Sets) -> Numbers:
    """The scores of a finished run by column of the table.

    Args:
        trained: The run.
        n: How many samples are drawn; of a conditional model as many of each class.
        sets: Where features of real images are put, for the next run on such. Of the first run on
            them there are also the scores of one half of these images against the other.
    """
    trainer, dataset, numbers = trained.trainer, trained.dataset, Numbers()
    extractor = make_extractor("auto", dataset.shape, dataset.name)
    if dataset.shape not in sets:
        real = sets[dataset.shape] = FeatureSet.of(
            dataset.items, extractor, dataset.name, dataset.labels, class_names=dataset.class_names
        )
        order, half = np.random.default_rng(0).permutation(len(real)), len(real) // 2
        parts = real.take(order[:half]), real.take(order[half:])
        numbers |= {f"{column}, real": _value(name, *parts) for column, name in _SCORES.items()}
    items = as_items(trainer.evaluation_samples(n))
    labels = np.arange(len(items)) % trainer.n_classes if trainer.n_classes else None
    fake = FeatureSet.of(items, extractor, labels=labels, class_names=dataset.class_names)
    columns = {**_SCORES, **(_INTRA if trainer.n_classes else {})}
    values = {column: _value(name, fake, sets[dataset.shape]) for column, name in columns.items()}
    return {**values, **numbers}


def _value(name: str, fake: FeatureSet, real: FeatureSet) -> float:
    """A score by its name; no bootstrap for its error, since the spread over seeds says more."""
    return SCORES[name](fake, real, **_OPTIONS.get(name, {}))[""]


def both(
    found: Mapping[str, _Found], order: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Mean FIDs here, and those stated for CIFAR-10, of the models that have both."""
    stated = {name: MODELS[name].there for name in order}
    there = {name: value for name, value in stated.items() if value is not None}
    return {name: found[name].mean("FID") for name in there}, there


def rank_correlation(here: Sequence[float], there: Sequence[float]) -> str:
    """Spearman's rank correlation of two lists of FIDs, in words; of fewer than four rows none."""
    if len(here) < 4:
        return f"{len(here)} models have both, too few for a rank correlation"
    result = spearmanr(here, there)
    return (
        f"Spearman's rank correlation of the two orders is {result.statistic:.2f}, over "
        f"{len(here)} models (p = {result.pvalue:.2g} of unrelated orders)"
    )


def rows_of(found: Mapping[str, _Found], order: Sequence[str]) -> list[dict[str, object]]:
    """The table, best FID first."""
    _, there = both(found, order)
    ranks = dict(zip(there, rankdata(list(there.values())), strict=True))
    rows = []
    for rank, name in enumerate(order, 1):
        one = found[name]
        row: dict[str, object] = {"rank": rank, "model": name, "file": MODELS[name].file}
        for column in (*_SCORES, *_INTRA):
            values = [numbers[column] for numbers in one.numbers if column in numbers]
            row[column] = spread(values) if values else "-"
        row["FID there"] = there.get(name, "-")
        row["rank there"] = f"{ranks[name]:g}" if name in ranks else "-"
        row["steps"] = one.steps
        row["minutes"] = float(np.mean(one.seconds)) / 60
        rows.append(row)
    return rows


def _text(
    study: Study, found: Mapping[str, _Found], here: Sequence[float], there: Sequence[float]
) -> str:
    """What was done and found, in words."""
    first = next(iter(found.values())).numbers[0]
    minutes = sum(sum(one.seconds) for one in found.values()) / 60
    floors = ", ".join(f"{column} {first[f'{column}, real']:.4g}" for column in _SCORES)
    return (
        f"Each model as its file says, on {study.data}; {SAMPLES[study.fast]:,} samples of each "
        "against all images that it was trained on, in the features that `tfwgan evaluate` takes "
        f"for these. Seeds: {study.seeds}; of several, mean and standard deviation. "
        f"{minutes:.1f} minutes of training in all. One half of the images against the other has "
        f"{floors}.\n\n"
        "There is the FID that GANs-Implementations states for CIFAR-10, of Inception's features "
        "and of networks and budgets of another size: the numbers don't compare, their order may. "
        f"{rank_correlation(here, there)}.\n\n"
        "Samples are of seed 0, in the order of the table; of conditional models the ten classes "
        "in turn."
    )
