"""Scores between two sets of features, by name: what `tfwgan evaluate` and `--metrics` take.

A score is a function of a generated and a real `FeatureSet`; further arguments are its options. It
returns numbers by suffix: "" is the score itself, ``_error`` its standard error.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tfwgan.errors import UsageError
from tfwgan.metrics import classified, kernel, manifold, sliced
from tfwgan.metrics import moments as gaussian
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.transport.exact import exact_plan
from tfwgan.transport.sliced import swd

Numbers = dict[str, float]
Score = Callable[..., Numbers]


def fid(fake: FeatureSet, real: FeatureSet, replicates: int | None = None) -> Numbers:
    """The Fréchet distance (Heusel et al., 2017), see `tfwgan.metrics.moments.fid`.

    Args:
        fake: Generated.
        real: Real.
        replicates: Of the bootstrap behind ``_error``, ``_low`` and ``_high`` (95 %); 0 for none;
            by default 100 for up to 256 features, none for more.
    """
    d = fake.values.shape[1]
    if gaussian.enough(fake.values, real.values):
        value = gaussian.between(fake.moments, real.moments)
    else:
        value = gaussian.fid(fake.values, real.values)
    numbers = {"": value}
    count = gaussian.default_replicates(d) if replicates is None else replicates
    if count:
        error, low, high = gaussian.fid_error(fake.values, real.values, count)
        numbers |= {"_error": error, "_low": low, "_high": high}
    return numbers


def fid_infinity(fake: FeatureSet, real: FeatureSet) -> Numbers:
    """FID continued to infinitely many generated samples (Chong and Forsyth, 2020).

    See `tfwgan.metrics.moments.fid_infinity`; ``_error`` is that of the line.
    """
    value, error = gaussian.fid_infinity(fake.values, real.values)
    return {"": value, "_error": error}


def intra_fid(fake: FeatureSet, real: FeatureSet) -> Numbers:
    """The mean of FID within each class (Miyato and Koyama, 2018), and ``_class0`` ... of each.

    Both sets need labels: those that a conditional model was asked for, those of the data. Where
    the classes of both have names, these say which belong together; ``_class0`` is the data's.
    """
    if fake.labels is None or real.labels is None:
        raise UsageError(
            "intra_fid needs the classes of both sets: samples of a conditional model, and "
            "labelled data."
        )
    labels = _labels_like(fake, real)
    by_class = gaussian.intra_fid(fake.values, labels, real.values, real.labels)
    each = {f"_class{label}": value for label, value in by_class.items()}
    return {"": float(np.mean(list(by_class.values()))), **each}


def kid(fake: FeatureSet, real: FeatureSet, most: int = 10000) -> Numbers:
    """The unbiased kernel distance (Bińkowski et al., 2018), see `tfwgan.metrics.kernel.kid`.

    Args:
        fake: Generated.
        real: Real.
        most: Samples of each set at most, random ones.
    """
    value, error = kernel.kid(_some(fake, most), _some(real, most))
    return {"": value, "_error": error}


def inception_score(fake: FeatureSet, real: FeatureSet, splits: int = 10) -> Numbers:
    """The Inception Score of any classifier (Salimans et al., 2016); larger is better.

    See `tfwgan.metrics.classified.inception_score`; ``_std`` is over the parts.

    Args:
        fake: Generated.
        real: Not looked at.
        splits: Number of parts.
    """
    order = np.random.default_rng(0).permutation(len(fake))
    value, std = classified.inception_score(_logits(fake)[order], splits)
    return {"": value, "_std": std}


def precision(fake: FeatureSet, real: FeatureSet, k: int = 3) -> Numbers:
    """The share of generated samples among the real ones (Kynkäänniemi et al., 2019), see there.

    That is `tfwgan.metrics.manifold.precision`: 1 is best.
    """
    return {"": manifold.precision(fake.values, real.values, k, within=real.radii(k))}


def recall(fake: FeatureSet, real: FeatureSet, k: int = 3) -> Numbers:
    """The share of real samples among the generated ones, see `tfwgan.metrics.manifold.recall`."""
    return {"": manifold.recall(fake.values, real.values, k, within=fake.radii(k))}


def density(fake: FeatureSet, real: FeatureSet, k: int = 5) -> Numbers:
    """How densely samples lie among the data (Naeem et al., 2020): 1 is that of the data.

    See `tfwgan.metrics.manifold.density`.
    """
    return {"": manifold.density(fake.values, real.values, k, within=real.radii(k))}


def coverage(fake: FeatureSet, real: FeatureSet, k: int = 5) -> Numbers:
    """The share of the data's neighbourhoods that are visited, `tfwgan.metrics.manifold.coverage`.

    It is Naeem et al.'s (2020).
    """
    return {"": manifold.coverage(fake.values, real.values, k, within=real.radii(k))}


def authenticity(fake: FeatureSet, real: FeatureSet) -> Numbers:
    """The share of samples that are no copies, see `tfwgan.metrics.manifold.authenticity`."""
    return {"": manifold.authenticity(fake.values, real.values)}


def mind(fake: FeatureSet, real: FeatureSet, n_projections: int = 1000) -> Numbers:
    """The Monge Inception distance (Berthet et al., 2026), see `tfwgan.metrics.sliced.mind`."""
    return {"": sliced.mind(fake.values, real.values, n_projections)}


def feature_swd(fake: FeatureSet, real: FeatureSet, n_projections: int = 1000) -> Numbers:
    """The sliced Wasserstein-1 distance of features, see `tfwgan.transport.swd`; symmetric."""
    return {"": float(swd(fake.values, real.values, n_projections))}


def feature_w1(fake: FeatureSet, real: FeatureSet, most: int = 2000) -> Numbers:
    """The exact Wasserstein-1 distance of features; ``_lower``, ``_upper`` if it was not reached.

    Symmetric.

    Args:
        fake: Generated.
        real: Real.
        most: Samples of each set at most, random ones; few make it too large.
    """
    plan = exact_plan(_some(fake, most), _some(real, most))
    if plan.value is None:
        return {"_lower": plan.lower, "_upper": plan.upper}
    return {"": plan.value}


def classes(fake: FeatureSet, real: FeatureSet) -> Numbers:
    """How many classes of the data a classifier finds among samples, see `classes_found`.

    ``_kl`` is how unlike the data's their shares are, in nats. The classes of the data are what the
    same classifier says of them. See `tfwgan.metrics.classified.classes_found`.
    """
    found, divergence = classified.classes_found(_logits(fake), _logits(real).argmax(axis=1))
    return {"": float(found), "_kl": divergence}


SCORES: Mapping[str, Score] = {
    "fid": fid,
    "fid_infinity": fid_infinity,
    "kid": kid,
    "mind": mind,
    "inception_score": inception_score,
    "precision": precision,
    "recall": recall,
    "density": density,
    "coverage": coverage,
    "authenticity": authenticity,
    "classes": classes,
    "feature_w1": feature_w1,
    "feature_swd": feature_swd,
    "intra_fid": intra_fid,
}

CLASSIFIED = {"inception_score", "classes"}  # what needs features that classify
LARGER_IS_BETTER = {
    *("inception_score", "precision", "recall", "density", "coverage", "authenticity", "classes")
}


def label(name: str, n: int, extractor: str) -> str:
    """A score's name with its protocol, such as ``fid10k-fashion_cnn``."""
    count = f"{n // 1000}k" if n >= 1000 and n % 1000 == 0 else str(n)
    return f"{name}{'_' if name[-1:].isdigit() else ''}{count}-{extractor}"


def _some(features: FeatureSet, most: int) -> np.ndarray:
    """At most so many features, random ones, always the same."""
    if most < 1:
        raise UsageError(f"`most` must be at least 1, got {most}.")
    if len(features) <= most:
        return features.values
    return features.values[np.random.default_rng(0).permutation(len(features))[:most]]


def _labels_like(fake: FeatureSet, real: FeatureSet) -> np.ndarray:
    """The labels of generated samples in the numbers of the data's classes; -1 for other classes.

    Names decide, unless one side has mere numbers for names, and none in common with the other.

    Raises:
        UsageError: If a class of the data has no generated sample.
    """
    labels, wanted = np.asarray(fake.labels), np.unique(np.asarray(real.labels))
    theirs, names = (list(one.about.get("class_names") or ()) for one in (fake, real))
    numbered = any(one == list(map(str, range(len(one)))) for one in (theirs, names))
    if theirs and names and (set(theirs) & set(names) or not numbered):
        labels = np.array([names.index(one) if one in names else -1 for one in theirs])[labels]
    without = [int(label) for label in np.setdiff1d(wanted, labels)]
    if without:
        shown = ", ".join(names[label] if names else str(label) for label in without[:5])
        more = ", ..." * (len(without) > 5)
        raise UsageError(f"There is no generated sample of these classes: {shown}{more}.")
    return labels


def _logits(features: FeatureSet) -> np.ndarray:
    if features.logits is None:
        raise UsageError(f"{features.about['extractor']} does not classify; this score needs that.")
    return features.logits


def shown(numbers: Mapping[str, float]) -> str:
    """The numbers of a score as people read them: ``12.3 ± 0.1``, or ``12.3 [12.1, 12.5]``."""
    known = {"", "_error", "_std", "_low", "_high"}
    head = f"{numbers['']:.4g}" if "" in numbers else ""
    if "_low" in numbers and "_high" in numbers:
        head += f" [{numbers['_low']:.4g}, {numbers['_high']:.4g}]"
    else:
        errors = [numbers[key] for key in ("_error", "_std") if key in numbers]
        head += "".join(f" ± {error:.2g}" for error in errors)
    rest = [(key.lstrip("_"), value) for key, value in numbers.items() if key not in known]
    return " ".join([head, *(f" {key} {value:.4g}" for key, value in rest)]).strip()
