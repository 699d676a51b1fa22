"""Laws of networks that use labels: what they read, what they return, and that the label counts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import DIGITS, POINTS, critic, generator, n_weights, noise

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.networks import RECONSTRUCTORS
from tfwgan.program import spec

IMAGES, LABELS = (16, 16, 3), tf.constant([0, 1, 2, 2, 1, 0])
NETWORKS = {
    "FC-nf=8": POINTS,
    "MLP-dim=8-mults=(1,)": DIGITS,
    "DCGAN-nf=4": IMAGES,
    "SimpleCNN-dim=4": IMAGES,
    "ResNet-nf=8": IMAGES,
}
GENERATORS = [
    (f"{text}-cond={cond}", shape) for text, shape in NETWORKS.items() for cond in ("concat", "cbn")
]
CRITICS = [
    (f"{text}-cond={cond}{sn}", shape)
    for text, shape in NETWORKS.items()
    for cond in ("concat", "projection", "ac")
    for sn in ("", "-sn=True")
]


def all_gradients(model, inputs):
    """Returns the gradient of a random combination of all outputs.

    It fails where a weight gets none, or not a finite one.
    """
    # Weights that start equal for all classes, or at 0, tell nothing yet.
    for i, variable in enumerate(model.trainable_variables):
        variable.assign_add(0.1 * noise(*variable.shape, seed=i))
    with tf.GradientTape() as tape:
        outputs = tf.nest.flatten(model(inputs, training=True))
        loss = tf.add_n([tf.reduce_sum(y * noise(*y.shape, seed=i)) for i, y in enumerate(outputs)])
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert gradient is not None, variable.path
        gradient = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(gradient).all(), variable.path
        yield variable, gradient


@pytest.mark.parametrize("text, shape", GENERATORS)
def test_a_conditional_generator_draws_another_image_for_another_label(text, shape):
    model = generator(text, shape, n_classes=3)
    assert {k: (v.shape, v.dtype) for k, v in model.input.items()} == {
        "z": ((None, 4), "float32"),
        "label": ((None,), "int32"),
    }
    gradients = dict(
        (v.path, g) for v, g in all_gradients(model, {"z": noise(6, 4), "label": LABELS})
    )
    tables = [g for path, g in gradients.items() if path.endswith("embeddings")]
    assert len(tables) > 0 if "cbn" in text else not tables
    assert all(np.abs(table).max(axis=1).min() > 0 for table in tables)
    same = tf.repeat(noise(1, 4), 3, axis=0)
    images = model({"z": same, "label": tf.range(3)}).numpy()
    assert images.shape == (3, *shape) and np.abs(images).max() <= 1
    assert all(np.abs(images[i] - images[j]).max() > 1e-4 for i in range(3) for j in range(i))


@pytest.mark.slow
@pytest.mark.parametrize("text, shape", CRITICS)
def test_a_conditional_critic_reads_or_guesses_the_label(text, shape):
    model, reads = critic(text, shape, n_classes=3), "cond=ac" not in text
    assert set(model.input) == ({"image", "label"} if reads else {"image"})
    inputs = {"image": noise(6, *shape)} | ({"label": LABELS} if reads else {})
    kernels = [g for v, g in all_gradients(model, inputs) if v.name == "kernel"]
    assert all(np.abs(kernel).max() > 0 for kernel in kernels)
    if not reads:
        outputs = model(inputs)
        assert {k: v.shape for k, v in outputs.items()} == {"score": (6,), "label": (6, 3)}
        return
    same = tf.repeat(noise(1, *shape), 3, axis=0)
    scores = model({"image": same, "label": tf.range(3)}).numpy()
    assert scores.shape == (3,) and len(np.unique(scores)) == 3


@pytest.mark.parametrize("text", ["DCGAN-nf=4", "SimpleCNN-dim=4", "ResNet-nf=8"])
def test_conditional_batch_norm_begins_as_batch_norm(text):
    """Scales of 1 and shifts of 0 for all classes, and statistics that the classes share."""
    model = generator(f"{text}-cond=cbn", IMAGES, n_classes=3)
    same = tf.repeat(noise(1, 4), 3, axis=0)
    images = model({"z": same, "label": tf.range(3)}).numpy()
    np.testing.assert_array_equal(images[1:], images[:-1])
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert all(len(layer.weights) == 2 and layer.synchronized for layer in norms)


def test_the_projection_adds_a_class_vector_times_the_last_features():
    model, plain = (
        critic(f"DCGAN-nf=4-cond={cond}", IMAGES, n_classes=3) for cond in ("projection", "none")
    )
    for layer in plain.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights() if layer.weights else [])
    images, vectors = noise(6, *IMAGES), model.get_layer("projection").kernel.numpy()
    features = (
        keras.Model(plain.input, plain.get_layer("flatten").input)({"image": images})
        .numpy()
        .sum(axis=(1, 2))
    )
    by_hand = plain({"image": images}) + np.sum(vectors[LABELS.numpy()] * features, axis=1)
    np.testing.assert_allclose(
        model({"image": images, "label": LABELS}), by_hand, rtol=1e-4, atol=1e-5
    )


def test_labels_beside_an_image_are_maps_of_ones():
    model = critic("DCGAN-nf=4-cond=concat", IMAGES, n_classes=3)
    seen = keras.Model(model.input, model.get_layer("with_label").output)(
        {"image": noise(6, *IMAGES), "label": LABELS}
    )
    np.testing.assert_array_equal(
        seen[..., 3:], np.broadcast_to(np.eye(3)[LABELS.numpy()][:, None, None], (6, 16, 16, 3))
    )


@pytest.mark.slow
@pytest.mark.parametrize("text, shape", [*GENERATORS, *CRITICS])
def test_copies_say_the_same(text, shape):
    build = generator if (text, shape) in GENERATORS else critic
    model = build(text, shape, n_classes=3)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    inputs = {"z": noise(6, 4), "image": noise(6, *shape), "label": LABELS}
    inputs = {name: inputs[name] for name in model.input}
    assert set(copy.input) == set(model.input)
    tf.nest.map_structure(np.testing.assert_array_equal, copy(inputs), model(inputs))


MISTAKES = [
    *(
        (
            build,
            f"{text}-cond=concat",
            shape,
            None,
            "cond=concat needs labels, and these data have none.",
        )
        for text, shape in NETWORKS.items()
        for build in (generator, critic)
    ),
    (generator, "DCGAN-cond=cbn-norm=layer", IMAGES, 3, "cond=cbn brings batch normalisation"),
    (generator, "DCGAN-cond=ac", IMAGES, 3, "Known: none, concat, cbn"),
    (critic, "DCGAN-cond=cbn", IMAGES, 3, "Known: none, concat, projection, ac"),
    (critic, "FC-lipschitz=True-cond=projection", POINTS, 3, "no cond=projection"),
]


@pytest.mark.parametrize("build, text, shape, n_classes, message", MISTAKES)
def test_impossible_conditions_are_refused(build, text, shape, n_classes, message):
    with pytest.raises(UsageError) as caught:
        build(text, shape, n_classes=n_classes)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_certified_critic_may_read_the_label():
    model = critic("MLP-dim=8-mults=(1,)-lipschitz=True-cond=concat", POINTS, n_classes=3)
    x, y = noise(300, 2), noise(300, 2, seed=1)
    label = tf.range(300) % 3
    rises = np.abs(model({"image": x, "label": label}) - model({"image": y, "label": label}))
    assert np.all(rises <= np.linalg.norm(x - y, axis=1) * (1 + 1e-5))


@pytest.mark.parametrize(
    "heads, shapes",
    [
        ("categories=5", {"category": (6, 5)}),
        ("codes=2", {"code": (6, 2)}),
        ("categories=5-codes=2-cond=ac", {"category": (6, 5), "code": (6, 2), "label": (6, 3)}),
    ],
)
def test_heads_of_infogan_stand_beside_the_score(heads, shapes):
    model = critic(f"SimpleCNN-dim=4-norm=none-{heads}", IMAGES, n_classes=3)
    outputs = model({"image": noise(6, *IMAGES)})
    assert {name: y.shape for name, y in outputs.items()} == {"score": (6,), **shapes}
    for variable, gradient in all_gradients(model, {"image": noise(6, *IMAGES)}):
        assert np.abs(gradient).max() > 0, variable.path


def test_a_joint_critic_reads_latents_too():
    model = critic("MLP-dim=8-mults=(1,)-norm=batch-joint=True", DIGITS)
    inputs = {"image": tf.repeat(noise(1, *DIGITS), 6, axis=0), "z": noise(6, 4)}
    assert {k: v.shape for k, v in model.input.items()} == {
        "image": (None, *DIGITS),
        "z": (None, 4),
    }
    assert len(np.unique(model(inputs))) == 6
    with pytest.raises(UsageError, match="needs the size of the latents"):
        critic("MLP-joint=True", DIGITS, z_dim=None)


@pytest.mark.parametrize("shape", [POINTS, DIGITS])
def test_a_reconstructor_returns_latents(shape):
    with rng.seeded_initializers(0):
        model = spec.build("MLP-dim=8", RECONSTRUCTORS, "reconstructor", image_shape=shape, z_dim=4)
    assert (
        model.name == "reconstructor"
        and set(model.input) == {"image"}
        and model.output.shape == (None, 4)
    )
    assert (
        len(list(all_gradients(model, {"image": noise(6, *shape)}))) == 12 and n_weights(model) > 0
    )
