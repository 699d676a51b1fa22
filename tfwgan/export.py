"""A SavedModel of a trained generator that plain TensorFlow loads, with neither Keras nor this package."""

import shutil
from pathlib import Path

import tensorflow as tf

from tfwgan.networks.features import heads
from tfwgan.priors import Const
from tfwgan.spec import UsageError
from tfwgan.trainer import GanTrainer, feed, sample_seed

_CHUNK = 256


def export(trainer: GanTrainer, path: str | Path) -> Path:
    """Writes the SavedModel folder; an older one is replaced when the new one is complete, and nothing else ever is.

    Its endpoints, called as in ``tf.saved_model.load(path).sample(64, 1)``:

    * ``sample(n, seed)``: `n` images, float32 in [-1, 1], channels last; the same as `GanTrainer.sample`.
    * ``latent(n, seed)``: the latents `[n, z_dim]` of those images.
    * ``decode(z)``: images of latents `[b, z_dim]`.
    * ``atom(index)``: images of rows of the table, int64 `[b]`; for the prior ``const=N`` only.
    * ``score(image)``: the critic's scores `[b]`, if there is a critic.

    Of a conditional generator, whose variable ``n_classes`` is above 0, three take one argument more:
    ``sample(n, seed, label)`` the class, or -1 for random ones; ``decode(z, label)`` and ``atom(index, label)`` one
    int32 label per image. ``score`` takes what the critic reads: ``label`` or ``z`` after the image.

    The generator is the averaged one where the run keeps an average.

    Raises:
        UsageError: If `path` is there and is no SavedModel.
        OSError: If it can't be written.
    """
    path = Path(path)
    if path.exists() and not (path / "saved_model.pb").exists() and not (path.is_dir() and not any(path.iterdir())):
        raise UsageError(f"{path} is there and is no SavedModel; choose another folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    new, old = (path.with_name(f".{path.name}.{word}") for word in ("new", "old"))
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir()
    module = _Sampler(trainer)
    tf.saved_model.save(module, str(new), signatures=module.signatures())
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)
    return path


class _Sampler(tf.Module):
    """The endpoints as functions, and the variables that they read."""

    def __init__(self, trainer: GanTrainer):
        super().__init__()
        generator, prior, critic = trainer.average_generator, trainer.average_prior, trainer.critic
        layers = [layer for layer in (generator, prior, critic) if layer is not None]
        self.weights = [variable.value for layer in layers for variable in layer.variables]
        self.n_classes = tf.Variable(trainer.n_classes or 0, trainable=False, dtype=tf.int64)
        (z_dim,) = generator.input["z"].shape[1:]
        n, seed = (tf.TensorSpec([], tf.int64, name) for name in ("n", "seed"))
        one_label = [tf.TensorSpec([], tf.int64, "label")] if trainer.n_classes else []
        labels = [tf.TensorSpec([None], tf.int32, "label")] if trainer.n_classes else []

        def images(z, label=None):
            return feed(generator, {"z": z, "label": label})

        def sample(n, seed, label=None):
            # In pieces, so that memory does not grow with n; the latents are drawn at once.
            z, drawn = prior.sample(n, sample_seed(seed)), trainer.labels(n, seed)
            if label is not None:
                drawn = tf.where(label < 0, drawn, tf.cast(label, tf.int32))
            pieces = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False, element_shape=None)
            for start in tf.range(0, n, _CHUNK):
                own = None if drawn is None else drawn[start : start + _CHUNK]
                pieces = pieces.write(pieces.size(), images(z[start : start + _CHUNK], own))
            return tf.ensure_shape(pieces.concat(), generator.output.shape)

        endpoints = {
            "sample": (sample, [n, seed, *one_label]),
            "latent": (lambda n, seed: prior.sample(n, sample_seed(seed)), [n, seed]),
            "decode": (images, [tf.TensorSpec([None, z_dim], tf.float32, "z"), *labels]),
        }
        if isinstance(prior, Const):
            index = tf.TensorSpec([None], tf.int64, "index")
            endpoints["atom"] = (lambda index, *label: images(prior(index), *label), [index, *labels])
        if critic is not None:
            names = sorted(critic.input, key=["image", "label", "z"].index)
            inputs = [tf.TensorSpec(critic.input[name].shape, critic.input[name].dtype, name) for name in names]

            def score(*samples):
                return heads(feed(critic, dict(zip(names, samples, strict=True))))["score"]

            endpoints["score"] = (score, inputs)
        for name, (function, signature) in endpoints.items():
            setattr(self, name, tf.function(function, input_signature=signature))
        self._names = list(endpoints)

    def signatures(self) -> dict:
        """The same endpoints under their names for TensorFlow Serving, whose default is `sample`."""
        named = {name: getattr(self, name).get_concrete_function() for name in self._names}
        return {**named, "serving_default": named["sample"]}


def load(path: str | Path):
    """Loads an exported model from its folder, or from the run folder that holds it.

    Raises:
        UsageError: If there is none.
    """
    path = Path(path)
    if (path / "export" / "saved_model").is_dir():
        path = path / "export" / "saved_model"
    if not (path / "saved_model.pb").exists():
        hint = f"; python scripts/export.py {path} makes it" if (path / "config.json").exists() else ""
        raise UsageError(f"There is no SavedModel in {path}{hint}.")
    return tf.saved_model.load(str(path))


def count_classes(model) -> int:
    """Number of classes of a loaded conditional model; 0 of another."""
    return int(getattr(model, "n_classes", 0))  # models of earlier releases have no such variable
