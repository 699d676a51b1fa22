"""How TensorFlow and Keras are started.

They start on the right backend, with oneDNN, and without a page of notices.
"""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator

from tfwgan.errors import UsageError


def prepare() -> None:
    """Sets what TensorFlow and Keras read when they are imported.

    It changes nothing if they are imported already, or where the user has said something.

    Raises:
        UsageError: If the user has set Keras to compute with something else.
    """
    chosen = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if chosen != "tensorflow" and "keras" not in sys.modules:
        raise UsageError(
            f"KERAS_BACKEND={chosen} is set, and tfwgan needs TensorFlow: unset it, or set "
            'os.environ["KERAS_BACKEND"] = "tensorflow" before Keras is imported.'
        )
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # Keras' own file may say otherwise
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # GPU memory is taken as it is needed, so that another process (TensorBoard, a second run) finds
    # some.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    # On x86 CPUs older than VNNI TensorFlow leaves oneDNN off, whose convolutions are twice as
    # fast.
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Keeps TensorFlow's notices on loading off the terminal while it is imported inside.

    Without this they go straight there, whatever the log level is.

    It is for commands, which need Keras on TensorFlow whatever other programs of the user need.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    prepare()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a closed descriptor shows nothing anyway
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
