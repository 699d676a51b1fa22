"""How many of the 1000 modes of StackedMNIST a GAN draws: GAN, WGAN-GP and R3GAN's loss.

The experiment is that of Metz et al. (2017, "Unrolled generative adversarial networks") and
Srivastava et al. (2017, "VEEGAN") as Lin et al. (2018, "PacGAN") repeat it: 128,000 images for
training, 26,000 samples, whose digits a classifier reads channel by channel. Networks and budgets
here are those of a laptop, as the files of `configs/` say: thousands of generator steps in the
place of 100,000.
"""

import dataclasses
import itertools

import numpy as np

from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.metrics import classes_found, fid
from tfwgan.metrics.classifiers import stacked_mnist_cnn
from tfwgan.metrics.feature_metric import as_items
from tfwgan.program import spec
from tfwgan.program.config import Config
from tfwgan.program.loading import load_data
from tfwgan.studies.of_files import Numbers, config_of, kept, sample_rows
from tfwgan.studies.study import Study, Trained, report, spread, train_in_turn

MODELS = {
    "GAN": "stacked_mnist_gan",
    "WGAN-GP": "stacked_mnist_wgan_gp",
    "R3GAN's loss": "stacked_mnist_r3gan",
}  # with their files in configs/
SAMPLES = {True: 2600, False: 26000}  # fast or not; 26,000 are Lin et al.'s
COLUMNS = 20  # samples in the picture of each model

_DATA = "the data"


@dataclasses.dataclass(frozen=True)
class Reference:
    """What samples are measured against.

    Attributes:
        labels: Classes of all images of the data, int32 `[M]`.
        features: Of some of them, float32 `[m, 192]`.
        real: The numbers of as many other images, as if they were samples.
        images: A few of the data, float32 `[COLUMNS, h, w, 3]` in [-1, 1].
    """

    labels: np.ndarray
    features: np.ndarray
    real: Numbers
    images: np.ndarray

    @classmethod
    def of(cls, dataset: Dataset, n: int) -> "Reference":
        """Of a data set: its first images, `n` or half of them, against the next ones."""
        few, labels = min(n, len(dataset) // 2), np.asarray(dataset.labels)
        features, _ = stacked_mnist_cnn()(dataset.items[:few])
        bare = cls(labels, features, {}, dataset.real(slice(COLUMNS)))
        return dataclasses.replace(bare, real=bare.measure(dataset.items[few : 2 * few]))

    def measure(self, items: np.ndarray) -> Numbers:
        """The numbers of samples, uint8 `[n, h, w, 3]`, by column of the table."""
        features, logits = stacked_mnist_cnn()(items)
        found, divergence = classes_found(np.asarray(logits), self.labels)
        return {"modes": found, "KL": divergence, "FID": fid(features, self.features)}


@dataclasses.dataclass
class _Found:
    """What the runs of one model gave, in the order of their seeds."""

    steps: int = 0
    numbers: list[Numbers] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)


def run(study: Study) -> str:
    """Trains every model with every seed, counts modes, writes the report; returns it."""
    if spec.parse(study.data).name != "stacked_mnist":
        raise UsageError(
            f"This study counts the modes of stacked_mnist, and {study.data!r} is other data; "
            "`tfwgan compare modes` takes any."
        )
    n = SAMPLES[study.fast]
    configs = {
        (name, seed): config_of(study, file, seed)
        for seed, (name, file) in itertools.product(range(study.seeds), MODELS.items())
    }
    # Before hours of training: what is amiss with the data shows here.
    reference = Reference.of(load_data(next(iter(configs.values()))), n)
    found = {name: _Found() for name in MODELS}
    samples = {_DATA: reference.images}
    for (name, seed), trained in train_in_turn(configs, progress_steps=500):
        found[name].steps = trained.trainer.steps_done
        found[name].numbers.append(_measured(configs[name, seed], trained, reference, n))
        found[name].seconds.append(trained.seconds)
        if seed == 0:
            samples[name] = trained.trainer.evaluation_samples(COLUMNS)
    rows = [_row_of_data(reference), *(_row(name, one) for name, one in found.items())]
    minutes = sum(sum(one.seconds) for one in found.values()) / 60
    text = (
        f"{len(reference.labels):,} images, {n:,} samples of each model. A mode is found if the "
        "classifier reads one sample as it, channel by channel; KL is the divergence of the "
        "samples' modes from the data's in nats, FID is of the classifier's features. In the row "
        f"of the data {len(reference.features):,} images stand for samples. Seeds: {study.seeds}; "
        "of several the modes of each, and mean and standard deviation of the rest. "
        f"{minutes:.1f} minutes of training in all.\n\nSamples are of seed 0."
    )
    pictures = {"samples": sample_rows(samples)}
    return report(study.out, f"Modes of {study.data}", text, rows, pictures, {})


def _measured(config: Config, trained: Trained, reference: Reference, n: int) -> Numbers:
    """The numbers of a finished run, kept in modes.json of its folder."""

    def measure() -> Numbers:
        return reference.measure(as_items(trained.trainer.evaluation_samples(n)))

    about = {"steps": trained.trainer.steps_done, "n": n}
    return kept(config.run_dir / "modes.json", about, measure)


def _row(name: str, one: _Found) -> dict[str, object]:
    """A line of the table."""
    return {
        "model": name,
        "modes (of 1000)": ", ".join(f"{numbers['modes']:g}" for numbers in one.numbers),
        "KL": spread([numbers["KL"] for numbers in one.numbers]),
        "FID": spread([numbers["FID"] for numbers in one.numbers]),
        "steps": one.steps,
        "minutes": float(np.mean(one.seconds)) / 60,
    }


def _row_of_data(reference: Reference) -> dict[str, object]:
    """The line of the data themselves."""
    return {**_row(_DATA, _Found(0, [reference.real], [0.0])), "steps": "-", "minutes": "-"}
