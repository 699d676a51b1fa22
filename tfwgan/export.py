"""A SavedModel of a trained generator that plain TensorFlow loads, with neither Keras nor this package."""

import shutil
from pathlib import Path

import tensorflow as tf

from tfwgan.priors import Const
from tfwgan.spec import UsageError
from tfwgan.trainer import GanTrainer, feed, sample_seed

_CHUNK = 256


def export(trainer: GanTrainer, path: str | Path) -> Path:
    """Writes the SavedModel folder; an older one is replaced when the new one is complete.

    Its endpoints, called as in ``tf.saved_model.load(path).sample(64, 1)``:

    * ``sample(n, seed)``: `n` images, float32 in [-1, 1], channels last; the same as `GanTrainer.sample`.
    * ``latent(n, seed)``: the latents `[n, z_dim]` of those images.
    * ``decode(z)``: images of latents `[b, z_dim]`.
    * ``atom(index)``: images of rows of the table, int64 `[b]`; for the prior ``const=N`` only.
    * ``score(image)``: the critic's scores `[b]`, if there is a critic.

    The generator is the averaged one where the run keeps an average.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new, old = (path.with_name(f".{path.name}.{word}") for word in ("new", "old"))
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
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
        (z_dim,) = generator.input["z"].shape[1:]
        scalar = tf.TensorSpec([], tf.int64)

        def images(z):
            return feed(generator, {"z": z})

        def sample(n, seed):
            # In pieces, so that memory does not grow with n; the latents are drawn at once.
            z = prior.sample(n, sample_seed(seed))
            pieces = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False, element_shape=None)
            for start in tf.range(0, n, _CHUNK):
                pieces = pieces.write(pieces.size(), images(z[start : start + _CHUNK]))
            return tf.ensure_shape(pieces.concat(), generator.output.shape)

        endpoints = {
            "sample": (sample, [tf.TensorSpec([], tf.int64, "n"), tf.TensorSpec([], tf.int64, "seed")]),
            "latent": (lambda n, seed: prior.sample(n, sample_seed(seed)), [scalar, scalar]),
            "decode": (images, [tf.TensorSpec([None, z_dim], tf.float32, "z")]),
        }
        if isinstance(prior, Const):
            endpoints["atom"] = (lambda index: images(prior(index)), [tf.TensorSpec([None], tf.int64, "index")])
        if critic is not None:
            image = tf.TensorSpec(critic.input["image"].shape, tf.float32, "image")
            endpoints["score"] = (lambda image: feed(critic, {"image": image}), [image])
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
