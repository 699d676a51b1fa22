"""Holds Keras' global settings at their defaults for a while.

Other code of the same process may have changed them.
"""

import contextlib
from collections.abc import Iterator

import keras

from tfwgan.errors import UsageError


@contextlib.contextmanager
def plain_keras() -> Iterator[None]:
    """Inside this, layers are made in float32, channels last; afterwards everything is as it was.

    Raises:
        UsageError: If Keras computes with something else than TensorFlow, which can't be changed
            any more.
    """
    if keras.config.backend() != "tensorflow":
        raise UsageError(
            f"Keras computes with {keras.config.backend()} here, and tfwgan needs TensorFlow; set "
            'os.environ["KERAS_BACKEND"] = "tensorflow" before Keras is imported.'
        )
    config = keras.config
    before = config.floatx(), config.image_data_format(), config.epsilon(), config.dtype_policy()
    _set("float32", "channels_last", 1e-7, "float32")
    try:
        yield
    finally:
        _set(*before)


def _set(
    floatx: str, layout: str, epsilon: float, policy: str | keras.dtype_policies.DTypePolicy
) -> None:
    keras.config.set_floatx(floatx)
    keras.config.set_image_data_format(layout)
    keras.config.set_epsilon(epsilon)
    keras.config.set_dtype_policy(policy)
