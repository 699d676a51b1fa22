"""Who is whose best partner: for each point a short list of the nearest under prices.

A list is a promise. Prices only ever rise, so what was not listed when a row was scanned stays at
least as dear as the bound that was written down then. As long as the best of the list is below that
bound it is the best of all, and no matrix of all pairs has to be kept, or seen again.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

from tfwgan.transport.costs import slices

_ROUNDOFF = 2.0**-24  # of float32
_ROWS = 512  # rows that are scanned at once
_COPY = 2**23  # coordinates copied as float64 at a time


@dataclass(frozen=True)
class Scan:
    """What a look at all partners of some rows found.

    Attributes:
        columns: The k partners with the least cost and price together, int64 `[r, k]`.
        costs: Of these, without prices, float64 `[r, k]`.
        bound: At most the cost and price together of every other partner, float64 `[r]`; infinite
            where there is no other.
        slack: How far below the least of the others the bound may lie, by rounding, float64 `[r]`.
    """

    columns: np.ndarray
    costs: np.ndarray
    bound: np.ndarray
    slack: np.ndarray


class Oracle(Protocol):
    """Finds the best partners of some rows at given prices."""

    def __call__(self, rows: np.ndarray, prices: np.ndarray) -> Scan:
        """The scan of rows, whole numbers `[r]`, at prices float64 `[m]`."""


class Streamed:
    """The oracle for Euclidean distances: products of matrices in float32, lists in float64.

    The bound is proven: the rounding error of a squared distance, ``d u (|x| + |y|)^2`` at most
    (Higham, 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1), is taken off
    before partners are compared.

    Args:
        x: Points `[n, d]`, the rows.
        y: Points `[m, d]`, the partners.
        k: Length of the lists.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, k: int = 64) -> None:
        self.x, self.y, self.k = x, y, min(k, len(y))
        # Distances don't change when all points move; near the origin squares round less.
        origin = y.mean(axis=0, dtype=np.float64)
        self._x, self._y = (tf.constant((z - origin).astype(np.float32)) for z in (x, y))
        self._size_x, self._size_y = tf.norm(self._x, axis=1), tf.norm(self._y, axis=1)
        # One product of d terms, the two squares, their sum, and moving the points to the origin.
        self._relative = tf.constant((x.shape[1] + 16) * _ROUNDOFF, tf.float32)
        signature = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([len(y)], tf.float32)]
        self._scan = tf.function(self._look, signature, autograph=False)

    def __call__(self, rows: np.ndarray, prices: np.ndarray) -> Scan:
        """The scan of rows `[r]` at prices `[m]`, some hundred rows at a time."""
        low = tf.constant(np.nextafter(prices.astype(np.float32), np.float32(-np.inf)))
        parts = [
            self._scan(tf.constant(rows[some], tf.int64), low) for some in slices(len(rows), _ROWS)
        ]
        columns, bound, slack = (np.concatenate(one) for one in zip(*parts, strict=True))
        columns = columns.astype(np.int64)
        costs = self._exact(rows, columns)
        return Scan(columns, costs, bound.astype(np.float64), slack.astype(np.float64))

    def _look(self, rows: tf.Tensor, prices: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """The k columns with the least bounds of cost and price, the next bound, its slack."""
        x, size_x = tf.gather(self._x, rows), tf.gather(self._size_x, rows)[:, None]
        squares = size_x**2 + self._size_y**2 - 2.0 * tf.matmul(x, self._y, transpose_b=True)
        error = self._relative * (size_x + self._size_y) ** 2
        least = tf.sqrt(tf.maximum(squares - error, 0.0)) + prices
        # One step of float32 down, for the root and the sum.
        least -= 4.0 * _ROUNDOFF * tf.abs(least)
        if self.k == len(self.y):
            none = tf.zeros([tf.shape(rows)[0]])
            return tf.tile(tf.range(self.k)[None], [tf.shape(rows)[0], 1]), none + np.inf, none
        values, columns = tf.math.top_k(-least, self.k + 1)
        # What was taken off each: the root of twice the error, less where the distance is larger.
        twice = 2.0 * self._relative * (size_x + tf.gather(self._size_y, columns)) ** 2
        low = tf.maximum(-values - tf.gather(prices, columns), 0.0)
        slack = 1.01 * twice / (low + tf.sqrt(low**2 + twice)) + 16.0 * _ROUNDOFF * tf.abs(values)
        return columns[:, :-1], -values[:, -1], tf.reduce_max(slack, axis=1)

    def _exact(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Costs of listed pairs, `[r, k]`, by differences in float64."""
        costs = np.empty(columns.shape)
        for some in slices(len(rows), max(1, _COPY // (self.k * self.x.shape[1]))):
            apart = np.subtract(self.x[rows[some], None], self.y[columns[some]], dtype=np.float64)
            costs[some] = np.sqrt(np.einsum("rkd,rkd->rk", apart, apart))
        return costs
