"""These are laws of optimizers.

They follow the papers' formulas, transcribed here, and schedules end where they should.
"""

import keras
import numpy as np
import pytest

from tfwgan.errors import UsageError
from tfwgan.optimizers import OPTIMIZERS, RMSprop
from tfwgan.program import spec

STEPS = 50


def optimizer(text, updates=100):
    return spec.build(text, OPTIMIZERS, "optimizer", updates=updates)


def gradients(scale=1.0):
    return (scale * np.random.default_rng(0).normal(size=(STEPS, 4))).astype(np.float32)


def path(one, g):
    """The weights after every update."""
    w = keras.Variable(np.zeros(4, np.float32))
    one.build([w])
    weights = []
    for gradient in g:
        one.apply([keras.ops.convert_to_tensor(gradient)], [w])
        weights.append(w.numpy().copy())
    return np.array(weights)


def rmsprop(g, lr=5e-5, rho=0.99, epsilon=1e-8):
    w, v, weights = np.zeros(4), np.zeros(4), []
    for gradient in g.astype(np.float64):
        v = rho * v + (1 - rho) * gradient**2
        w = w - lr * gradient / (np.sqrt(v) + epsilon)
        weights.append(w)
    return np.array(weights)


def adam(g, lr=1e-4, beta_1=0.5, beta_2=0.999, epsilon=1e-8):
    """Follows the form at the end of section 2 of the paper.

    There epsilon is added before the bias is corrected.
    """
    w, m, v, weights = np.zeros(4), np.zeros(4), np.zeros(4), []
    for t, gradient in enumerate(g.astype(np.float64), start=1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        w = w - lr * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t) * m / (np.sqrt(v) + epsilon)
        weights.append(w)
    return np.array(weights)


def sgd(g, lr=1e-2, momentum=0.0):
    w, v, weights = np.zeros(4), np.zeros(4), []
    for gradient in g.astype(np.float64):
        v = momentum * v - lr * gradient
        w = w + v
        weights.append(w)
    return np.array(weights)


FORMULAS = [
    ("rmsprop", rmsprop, {}),
    ("rmsprop-lr=1e-3-rho=0.9-epsilon=1e-3", rmsprop, {"lr": 1e-3, "rho": 0.9, "epsilon": 1e-3}),
    ("adam", adam, {}),
    ("adam-lr=1e-3-beta_1=0-beta_2=0.9", adam, {"lr": 1e-3, "beta_1": 0.0, "beta_2": 0.9}),
    ("sgd", sgd, {}),
    ("sgd-lr=0.1-momentum=0.9", sgd, {"lr": 0.1, "momentum": 0.9}),
]


def test_every_optimizer_has_a_law():
    assert {row[0].split("-")[0] for row in FORMULAS} == set(OPTIMIZERS)


@pytest.mark.parametrize("text, formula, options", FORMULAS, ids=[row[0] for row in FORMULAS])
@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_updates_follow_the_formula(text, formula, options, scale):
    g = gradients(scale)
    expected = formula(g, **options)
    # Keras' Adam takes powers of beta_2, which is close to 1, in single precision.
    tolerance = 1e-5 if formula is adam else 1e-6
    np.testing.assert_allclose(
        path(optimizer(text), g), expected, rtol=tolerance, atol=tolerance * abs(expected).max()
    )


def test_rmsprop_moves_by_the_learning_rate_whatever_the_size_of_the_gradient():
    # The first step is lr / sqrt(1 - rho), the sign of the gradient aside.
    for scale in (1.0, 1e-4):
        step = path(optimizer("rmsprop"), gradients(scale)[:1])
        np.testing.assert_allclose(np.abs(step), 5e-5 / 0.01**0.5, rtol=1e-2)


def test_rmsprop_is_not_the_one_of_keras():
    g = gradients(1e-4)
    ours, theirs = (
        path(RMSprop(5e-5, 0.99, 1e-8), g),
        path(keras.optimizers.RMSprop(5e-5, 0.99, epsilon=1e-7), g),
    )
    assert np.abs(theirs).max() < 0.5 * np.abs(ours).max()


def test_rmsprop_is_made_again_from_its_configuration():
    one = RMSprop(1e-3, 0.9, 1e-5)
    other = RMSprop.from_config(one.get_config())
    assert (other.rho, other.epsilon) == (0.9, 1e-5)
    np.testing.assert_array_equal(
        path(other, gradients()), path(RMSprop(1e-3, 0.9, 1e-5), gradients())
    )


def rate(one, update):
    one.iterations.assign(update)
    return float(one.learning_rate)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("final", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_schedules_begin_at_lr_and_end_at_their_final_share_of_it(name, schedule, final):
    one = optimizer(f"{name}-lr=1e-3-schedule={schedule}-final={final}", updates=100)
    end = 1.0 if schedule == "constant" else final
    np.testing.assert_allclose(
        [rate(one, 0), rate(one, 100)], [1e-3, end * 1e-3], rtol=1e-5, atol=1e-9
    )
    np.testing.assert_allclose(rate(one, 50), (1 + end) / 2 * 1e-3, rtol=1e-5)
    rates = [rate(one, update) for update in range(0, 120, 5)]
    assert np.all(np.diff(rates) <= 1e-9) and rates[-1] == rates[-4]


def test_cosine_falls_slowly_first_and_linear_evenly():
    cosine, linear = (optimizer(f"adam-lr=1-schedule={s}") for s in ("cosine", "linear"))
    np.testing.assert_allclose(rate(cosine, 25), (1 + np.cos(np.pi / 4)) / 2, rtol=1e-5)
    np.testing.assert_allclose(rate(linear, 25), 0.75, rtol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_schedule_steers_the_updates(name):
    g = np.ones((STEPS, 4), np.float32)
    constant, falling = (
        path(optimizer(f"{name}-schedule={s}", STEPS), g) for s in ("constant", "linear")
    )
    np.testing.assert_allclose(constant[0], falling[0], rtol=1e-5)
    last = np.abs(falling[-1] - falling[-2]) / np.abs(constant[-1] - constant[-2])
    np.testing.assert_allclose(last, 1 / STEPS, rtol=0.05)


MISTAKES = [
    *[(f"{name}-lr={lr}", "lr must be above 0") for name in OPTIMIZERS for lr in ("0", "-1e-4")],
    *[
        (f"{name}-final={final}", "final must be in [0, 1]")
        for name in OPTIMIZERS
        for final in ("-0.1", "1.1")
    ],
    *[(f"{name}-schedule=step", "Known: constant, linear, cosine") for name in OPTIMIZERS],
    *[(f"{name}-updates=3", "no option 'updates'") for name in OPTIMIZERS],
    *[
        (f"adam-{beta}={b}", f"{beta} must be in [0, 1)")
        for beta in ("beta_1", "beta_2")
        for b in ("1", "-0.1")
    ],
    *[
        (f"{name}-epsilon={e}", "epsilon must be above 0")
        for name in ("adam", "rmsprop")
        for e in ("0", "-1e-8")
    ],
    *[(f"rmsprop-rho={rho}", "rho must be in [0, 1)") for rho in ("1", "-0.1")],
    *[(f"sgd-momentum={m}", "momentum must be in [0, 1)") for m in ("1", "-0.1")],
    ("adam-lr=nan", "lr must be finite"),
    ("adma", "did you mean 'adam'?"),
    ("auto", "Unknown optimizer 'auto'"),
]


@pytest.mark.parametrize("text, message", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_impossible_optimizers_are_refused(text, message):
    with pytest.raises(UsageError) as caught:
        optimizer(text)
    assert message in str(caught.value)


def test_a_value_alone_is_the_learning_rate():
    assert rate(optimizer("adam=3e-4"), 0) == pytest.approx(3e-4)
