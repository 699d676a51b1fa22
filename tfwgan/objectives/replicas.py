"""What a loss of the whole batch needs where each replica holds a part of it."""

import tensorflow as tf


def all_replicas(batch: tf.Tensor) -> tf.Tensor:
    """The global batch `[r * b, ...]` of parts `[b, ...]`.

    A loss that is no mean over samples is no mean over parts either.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return batch
    rows = batch.shape[0] * context.num_replicas_in_sync
    return tf.ensure_shape(context.all_gather(batch, axis=0), [rows, *batch.shape[1:]])
