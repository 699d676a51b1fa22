"""What every command shares: reading flags, answering mistakes in one line, keeping TensorFlow's start quiet."""

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from absl import flags

from tfwgan.spec import UsageError


def new_flags() -> flags.FlagValues:
    """An empty set of flags with --help; nothing is registered globally."""
    values = flags.FlagValues()
    flags.DEFINE_bool("help", False, "show this help", flag_values=values, short_name="h")
    return values


def parse(
    values: flags.FlagValues, arguments: Sequence[str], positional: Sequence[str] = (), many: bool = False
) -> list[str]:
    """Reads a command line into `values`; returns the positional arguments.

    Args:
        values: Flags defined before.
        arguments: The command line without the program's name.
        positional: Names of the positional arguments, all needed unless help is asked for.
        many: Take any number of further positional arguments.

    Raises:
        UsageError: If a flag is unknown or wrong, or there are too many or too few positional arguments.
    """
    try:
        rest = values(["tfwgan", *arguments])[1:]
    except flags.Error as error:
        raise UsageError(" ".join(str(error).split())) from None
    if values["help"].value:
        return rest
    if len(rest) > len(positional) and not many:
        raise UsageError(f"Unexpected argument {rest[len(positional)]!r}; flags are written --name=value.")
    if len(rest) < len(positional):
        raise UsageError(f"{positional[len(rest)]} is missing; --help tells more.")
    return rest


def describe_flags(values: flags.FlagValues) -> str:
    """One line per flag, in the order of definition."""
    lines = []
    for name in values:
        flag = values[name]
        if name == flag.name and name != "help":
            default = "" if flag.default in (None, False) else f" [{flag.default}]"
            lines.append(f"  --{name}: {flag.help}{default}")
    return "\n".join(lines)


def run(
    command: Callable[..., int | None],
    define: Callable[[flags.FlagValues], None],
    usage: str,
    positional: Sequence[str] = (),
    arguments: Sequence[str] | None = None,
    many: bool = False,
) -> int:
    """Runs a command; returns its exit code: what `command` says (None: 0), 2 after a mistake, 130 after Ctrl-C.

    Args:
        command: Called with the positional arguments and, last, the flags.
        define: Defines the command's flags.
        usage: What --help prints above the list of flags.
        positional: Names of the positional arguments.
        arguments: The command line; by default this process's.
        many: Take any number of further positional arguments.
    """
    try:
        values = new_flags()
        define(values)
        rest = parse(values, sys.argv[1:] if arguments is None else arguments, positional, many)
        if values["help"].value:
            print(f"{usage.strip()}\n\nFlags:\n{describe_flags(values)}")
            return 0
        return command(*rest, values) or 0
    except UsageError as error:
        print(f"tfwgan: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tfwgan: interrupted.", file=sys.stderr)
        return 130


@contextlib.contextmanager
def writing_to(out: str | Path) -> Iterator[None]:
    """Inside this, what can't be written is a mistake in a command's --out."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"Can't write --out={out}: {error.strerror}.") from None


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Import TensorFlow inside this: its notices on loading go straight to the terminal, whatever the log level."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # GPU memory is taken as it is needed, so that another process (TensorBoard, a second run) finds some.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    # On x86 CPUs older than VNNI TensorFlow leaves oneDNN off, whose convolutions are twice as fast.
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
