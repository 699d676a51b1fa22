"""Whatever stream of batches a user trains on, in the one form that a training step takes."""

from typing import Any

import tensorflow as tf

from tfwgan.errors import UsageError, text_in


def elements(x: Any, shape: tuple[int, ...], n_critic: int) -> tf.data.Dataset:
    """Turns a stream of batches into the elements that the trainer reads.

    An element is ``{"image": [batch, k, *shape]}``, perhaps with ``"label": [batch, k]``.

    Elements of that form pass as they are. Of single batches, which Keras' models read, each
    becomes a batch for one critic step, `n_critic` of them an element, one after the other; what is
    left over at the end is dropped.

    Args:
        x: A `tf.data.Dataset` of images `[batch, *shape]`, of pairs of images and labels, of
            dictionaries of ``image`` and perhaps ``label``, or of elements. Sizes are known:
            ``batch(64, drop_remainder=True)``.
        shape: Of one sample.
        n_critic: Critic batches of a step at the most, of single batches exactly.

    Raises:
        UsageError: If the data are something else.
    """
    if not isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset):
        raise UsageError(
            f"training data are a tf.data.Dataset, got {text_in(type(x).__name__)}; of an array "
            "make one by "
            "tf.data.Dataset.from_tensor_slices(array).shuffle(10_000).repeat().batch(64, "
            "drop_remainder=True)."
        )
    spec = x.element_spec
    named = _named(spec)
    image = named.get("image") if isinstance(named, dict) else None
    if not isinstance(image, tf.TensorSpec) or image.shape.rank is None:
        raise UsageError(f"{_WANTED}, got elements {_shown(spec)}.")
    single, sample = image.shape.rank == 1 + len(shape), tuple(image.shape[-len(shape) :])
    if sample != shape or (not single and image.shape.rank != 2 + len(shape)):
        raise UsageError(
            f"{_WANTED} of samples {shape}, as the generator makes them; got elements "
            f"{_shown(spec)}."
        )
    if None in image.shape[: 1 if single else 2]:
        raise UsageError(
            f"the size of a batch has to be known, and elements are {_shown(spec)}: use batch(64, "
            "drop_remainder=True)."
        )
    if not single and image.shape[1] > n_critic:
        raise UsageError(
            f"elements hold {image.shape[1]} critic batches, and the trainer makes "
            f"n_critic={n_critic}."
        )
    if not single:
        return x
    if spec is not named:
        x = x.map(_named)
    return x.batch(n_critic, drop_remainder=True).map(_batch_axis_first).prefetch(2)


_WANTED = (
    "training data are batches [batch, ...], pairs of them and their labels, or "
    "{'image': [batch, n_critic, ...], 'label': [batch, n_critic]}"
)


@tf.autograph.experimental.do_not_convert
def _named(*element: Any) -> Any:
    """A batch by the names of its parts; dictionaries as they are."""
    parts = element[0] if len(element) == 1 else element
    if isinstance(parts, dict):
        return parts
    parts = parts if isinstance(parts, tuple | list) else (parts,)
    names = ("image", "label")[: len(parts)]
    return dict(zip(names, parts, strict=True)) if len(parts) <= 2 else None


@tf.autograph.experimental.do_not_convert
def _batch_axis_first(batches: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Turns `[k, batch, ...]` into `[batch, k, ...]`.

    A strategy gives each replica a part of the first axis.
    """
    axes = {name: [1, 0, *range(2, tensor.shape.rank)] for name, tensor in batches.items()}
    return {name: tf.transpose(tensor, axes[name]) for name, tensor in batches.items()}


def _shown(spec: Any) -> str:
    """The shapes of elements, in few letters."""
    return text_in(
        tf.nest.map_structure(
            lambda part: list(part.shape) if part.shape.rank is not None else "?", spec
        )
    )
