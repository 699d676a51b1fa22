"""The same update several times within one graph."""

from collections.abc import Callable

import tensorflow as tf

_UNROLLED = 8


def mean_over(
    update: Callable[[int | tf.Tensor], dict[str, tf.Tensor]], n: int
) -> dict[str, tf.Tensor]:
    """Makes the updates number 0 ... n - 1; returns the mean of every term that they return.

    Few are compiled one by one, many as a loop: unrolled, each takes about a second and 20 MB.
    Replicas can't meet in a loop, so under a strategy of several devices all are unrolled.
    """
    unrolled = n <= _UNROLLED or tf.distribute.get_strategy().num_replicas_in_sync > 1
    logs = [update(k) for k in range(n if unrolled else 1)]
    sums = {name: tf.add_n([log[name] for log in logs]) for name in logs[0]}
    if not unrolled:

        def another(
            k: tf.Tensor, sums: dict[str, tf.Tensor]
        ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            log = update(k)
            return k + 1, {name: total + log[name] for name, total in sums.items()}

        _, sums = tf.while_loop(lambda k, sums: k < n, another, (tf.constant(1), sums))
    return {name: total / n for name, total in sums.items()}
