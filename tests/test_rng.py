"""Laws of random numbers that are functions of (seed, purpose, counter)."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfwgan import rng

SIZES = [1, 2, 3, 7, 64, 1000]


KEY = rng.stream(0, "order")


def order(positions, size, key=KEY):
    return rng.shuffled_epochs(tf.convert_to_tensor(positions, tf.int64), size, key).numpy()


def seed(counter=0, purpose="test", number=0):
    return rng.seed_pair(rng.stream(number, purpose), counter)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("first_epoch", [0, 10**9])
def test_every_epoch_is_a_permutation(size, first_epoch):
    epochs = order(np.arange(first_epoch * size, (first_epoch + 4) * size), size).reshape(4, size)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(size), (4, 1)))


@pytest.mark.parametrize("size", [64, 1000])
def test_epochs_seeds_and_purposes_have_orders_of_their_own(size):
    keys = [rng.stream(n, purpose) for n in (0, 1) for purpose in ("data", "table")]
    epochs = np.concatenate(
        [order(np.arange(3 * size), size, key).reshape(3, size) for key in keys]
    )
    assert len(np.unique(epochs, axis=0)) == 12
    assert not any(np.array_equal(epoch, np.arange(size)) for epoch in epochs)


@pytest.mark.parametrize("size", [64, 1000])
def test_no_order_comes_again_in_a_thousand_epochs(size):
    starts = np.arange(1000) * size
    epochs = np.stack([order(starts + place, size) for place in range(20)], axis=1)
    assert len(np.unique(epochs, axis=0)) == 1000


def test_no_two_of_500_seeds_share_an_order():
    firsts = [order(np.arange(20), 64, rng.stream(n, "data")) for n in range(500)]
    assert len(np.unique(firsts, axis=0)) == 500


def test_every_item_may_come_first():
    firsts = order(np.arange(0, 8 * 2000, 8), 8)
    counts = np.bincount(firsts, minlength=8)
    assert np.all(np.abs(counts - 250) < 5 * np.sqrt(250))


@settings(deadline=None, max_examples=50, database=None)
@given(
    st.sampled_from(SIZES),
    st.integers(0, 2**40),
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
)
def test_asking_in_pieces_gives_the_same_order(size, start, lengths):
    ends = start + np.cumsum([0, *lengths])
    pieces = [order(np.arange(a, b), size) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    np.testing.assert_array_equal(np.concatenate(pieces), order(np.arange(start, ends[-1]), size))


def test_graph_and_eager_agree():
    @tf.function
    def graph(position, counter):
        pair = seed(counter)
        return (
            rng.shuffled_epochs(position, 7, rng.stream(0, "x")),
            rng.normal([3], pair),
            rng.uniform([3], pair),
        )

    position, counter = tf.range(50, dtype=tf.int64), tf.constant(5, tf.int64)
    eager = (
        rng.shuffled_epochs(position, 7, rng.stream(0, "x")),
        rng.normal([3], seed(5)),
        rng.uniform([3], seed(5)),
    )
    for one, other in zip(graph(position, counter), eager, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(deadline=None, max_examples=100, database=None)
@given(st.integers(0, 2**63 - 1), st.text(max_size=20))
def test_a_stream_has_a_key_of_62_bits(number, purpose):
    assert 0 <= rng.stream(number, purpose) < 2**62


def test_streams_are_the_same_in_every_process_and_version():
    assert rng.stream(0, "critic latents") == 4237224149746873143
    assert len({rng.stream(n, purpose) for n in range(100) for purpose in ("a", "b", "1/a")}) == 300


@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-1.0, 1.0), (-0.5, 2.0), (5.0, 5.5)])
def test_uniform_numbers_fill_their_range(low, high):
    x = rng.uniform([100_000], seed(), low, high).numpy()
    assert x.dtype == np.float32 and x.min() >= low and x.max() < high
    np.testing.assert_allclose(
        [x.mean(), x.std()], [(low + high) / 2, (high - low) / 12**0.5], atol=0.01
    )


def test_normal_numbers_are_standard():
    x = rng.normal([100_000], seed()).numpy()
    np.testing.assert_allclose(
        [x.mean(), x.std(), (x**3).mean(), (x**4).mean()], [0, 1, 0, 3], atol=0.06
    )


@pytest.mark.parametrize("high", [1, 2, 10])
def test_whole_numbers_are_equally_likely(high):
    x = rng.integers([10_000 * high], seed(), high).numpy()
    assert x.dtype == np.int64
    assert np.all(np.abs(np.bincount(x, minlength=high) - 10_000) < 500)


@pytest.mark.parametrize(
    "draw",
    [
        lambda s: rng.normal([4], s),
        lambda s: rng.uniform([4], s),
        lambda s: rng.integers([40], s, 1000),
    ],
)
def test_a_draw_is_a_function_of_its_seed(draw):
    np.testing.assert_array_equal(draw(seed(3)), draw(seed(3)))
    draws = [
        draw(s).numpy()
        for s in (seed(3), seed(4), seed(3, "other"), seed(3, number=1), seed(2**40))
    ]
    assert len(np.unique(draws, axis=0)) == len(draws)


def test_neighbouring_draws_are_unrelated():
    a, b = (rng.normal([100_000], seed(k)).numpy() for k in (0, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02


def test_one_replica_keeps_all_rows():
    batch = tf.range(6)
    np.testing.assert_array_equal(rng.own_rows(batch), batch)


def test_weights_are_a_function_of_the_seed():
    def weights(number):
        with rng.seeded_initializers(number):
            layers = [keras.layers.Dense(3) for _ in range(2)]
            for layer in layers:
                layer.build((None, 5))
        return [np.asarray(layer.kernel) for layer in layers]

    first, same, other = weights(0), weights(0), weights(1)
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("fails", [False, True])
def test_python_s_own_randomness_is_left_alone(fails):
    random.seed(5)
    expected = [random.random() for _ in range(3)]
    random.seed(5)
    try:
        with rng.seeded_initializers(0):
            random.random()
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert [random.random() for _ in range(3)] == expected
