"""Pictures and a number show what the codes of a structured latent do.

In each picture one code moves; the number tells whether categories are classes.
"""

import numpy as np
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from tfwgan.errors import UsageError
from tfwgan.networks.eigengan import subspaces
from tfwgan.priors import Info
from tfwgan.trainer import GanTrainer, feed, in_chunks, sample_seed


def traversals(
    trainer: GanTrainer,
    rows: int = 4,
    columns: int = 9,
    limit: float | None = None,
    truncation: float = 1.0,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Images in which one code of the latent moves along each row and everything else stands still.

    Args:
        trainer: With an EigenGAN generator, or with the prior ``info``.
        rows: Different latents.
        columns: Values of a code, evenly from -limit to limit; a category takes all its values
            instead.
        limit: By default 3 for EigenGAN, whose codes are N(0, 1), and 1 for InfoGAN.
        truncation: Factor of all that stands still but categories; below 1 makes the images more
            alike and cleaner.
        seed: Of the latents, and of the classes of a conditional generator.

    Returns:
        Images `[rows * columns, ...]`, row by row: by ``L<layer>D<basis>`` from the coarsest layer
        on, or by ``category`` and ``code_<i>``.

    Raises:
        UsageError: If the latent has no codes.
    """
    prior = trainer.average_prior
    z = prior.sample(rows, sample_seed(seed)).numpy()
    if isinstance(prior, Info):
        first, fixed = (
            z.shape[1] - prior.categories - prior.codes,
            slice(-prior.categories - prior.codes, -prior.codes),
        )
        limit = limit or 1.0
        walks = {"category": (range(first, first + prior.categories), np.eye(prior.categories))}
        walks |= {
            f"code_{i}": (range(k, k + 1), np.linspace(-limit, limit, columns)[:, None])
            for i, k in enumerate(range(z.shape[1] - prior.codes, z.shape[1]))
        }
    else:
        fixed, limit = slice(0), limit or 3.0
        walks = {
            f"L{layer}D{basis}": (range(k, k + 1), np.linspace(-limit, limit, columns)[:, None])
            for layer, codes in enumerate(subspaces(trainer.average_generator))
            for basis, k in enumerate(codes)
        }
    if not walks:
        raise UsageError(
            "This latent has no codes; the generator EigenGAN and the prior info have some."
        )
    kept = z[:, fixed].copy()
    z *= truncation
    z[:, fixed] = kept
    labels = trainer.labels(rows, seed)
    return {name: _walk(trainer, z, labels, *walk) for name, walk in walks.items()}


def code_values(
    trainer: GanTrainer, name: str, columns: int, limit: float | None = None
) -> np.ndarray:
    """Returns what the code of a traversal is in each column.

    That is one of evenly spaced values, or the number of a category.
    """
    limit = limit or (1.0 if isinstance(trainer.average_prior, Info) else 3.0)
    return np.arange(columns) if name == "category" else np.linspace(-limit, limit, columns)


def cluster_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of items whose cluster is the one of their class.

    For that, clusters are matched to classes as well as can be.

    Args:
        clusters: Whole numbers `[n]` from 0.
        labels: Whole numbers `[n]` from 0. Each class is matched to one cluster at most, and the
            other way round.
    """
    counts = np.zeros([clusters.max() + 1, labels.max() + 1], np.int64)
    np.add.at(counts, (clusters, labels), 1)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(labels))


def categories(trainer: GanTrainer, images: np.ndarray) -> np.ndarray:
    """The category that InfoGAN's critic guesses for images `[n, ...]`, int64 `[n]`."""
    logits = in_chunks(lambda chunk: feed(trainer.critic, {"image": chunk})["category"], images)
    return logits.argmax(axis=1)


def _walk(
    trainer: GanTrainer,
    z: np.ndarray,
    labels: tf.Tensor | None,
    places: range,
    values: np.ndarray,
) -> np.ndarray:
    """Makes images of each latent with its coordinates `places` set to each of the `values`.

    The values are `[columns, len(places)]`.
    """
    moved = np.repeat(z, len(values), axis=0)
    moved[:, list(places)] = np.tile(values, [len(z), 1])
    labels = None if labels is None else tf.repeat(labels, len(values))
    return trainer(tf.constant(moved, tf.float32), labels).numpy()
