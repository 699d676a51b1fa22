"""What the machine has no room for is told in one line, whatever the error says.

Other errors are left alone.
"""

import pytest
import tensorflow as tf

from tfwgan.errors import UsageError, lack


@pytest.mark.parametrize(
    "error, answer",
    [
        (MemoryError(), "memory is full; use a smaller `batch_size`"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when\nallocating"), "memory is full"),
        (tf.errors.ResourceExhaustedError(None, None, "No space left\non device"), "can't write: "),
        (tf.errors.UnknownError(None, None, "file too large"), "can't write: "),
        (tf.errors.ResourceExhaustedError(None, None, "x\n" * 5000), "x x"),
        (OSError(), "OSError"),
        (OSError("one\ntwo"), "one two"),
    ],
    ids=lambda part: None if isinstance(part, str) else f"{type(part).__name__}{str(part)[:12]!r}",
)
def test_a_lack_is_one_line(error, answer):
    said = lack(error)
    assert said.startswith(answer) and "\n" not in said and len(said) < 1600


@pytest.mark.parametrize(
    "error", [UsageError("x"), ValueError("write"), tf.errors.UnknownError(None, None, "x")]
)
def test_other_errors_are_left_alone(error):
    assert lack(error) is None
