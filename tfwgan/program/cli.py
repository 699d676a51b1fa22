"""What every command shares.

It reads flags, answers mistakes in one line, and names commands in a form that a shell takes.
"""

import contextlib
import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from absl import flags

from tfwgan import __version__, screen
from tfwgan.errors import UsageError, lack, one_line

WIDTH = 100

_RATES = "learning rates are options of the optimizers: --g_opt=adam-lr=1e-4 --d_opt=adam-lr=1e-4"
# Flags that people try, and what does here what they mean.
_MEANT = {
    "lr": _RATES,
    "learning_rate": _RATES,
    "epochs": "the length of a run is --steps=...",
    "n_epochs": "the length of a run is --steps=...",
    "iterations": "the length of a run is --steps=...",
    "batch": "did you mean --batch_size?",
    "bs": "did you mean --batch_size?",
    "dataset": "did you mean --data?",
    "size": "did you mean --image_size?",
    "gpu": "did you mean --devices=gpu:0?",
    "gpus": "did you mean --devices=gpu:0,1?",
    "device": "did you mean --devices?",
    "output": "did you mean --out_dir?",
    "outdir": "did you mean --out_dir?",
    "latent_dim": "did you mean --z_dim?",
    "model": "networks are --gen_arch and --disc_arch",
    "optimizer": "optimizers are --g_opt and --d_opt",
    "metric": "did you mean --metrics?",
}


class _Path(flags.ArgumentParser):
    """A path in which ``~`` is the home folder; after ``--flag=`` a shell leaves it alone."""

    syntactic_help = "a path"

    def parse(self, argument: str) -> str:
        """The path, expanded."""
        return os.path.expanduser(argument)


def define_path(name: str, default: str | None, help: str, values: flags.FlagValues) -> None:  # noqa: A002
    """Defines a flag that is a path."""
    flags.DEFINE(_Path(), name, default, help, flag_values=values)


def define_seed(values: flags.FlagValues, help: str) -> None:  # noqa: A002
    """Defines --seed, any whole number that TensorFlow takes."""
    flags.DEFINE_integer(
        "seed", 0, help, flag_values=values, lower_bound=-(2**63), upper_bound=2**63 - 1
    )


def define_view(values: flags.FlagValues) -> None:
    """Defines what is done to images that are read, and where data lie."""
    sides = {
        "image_size": "resize images to so many rows and columns",
        "center_crop": "cut out the centred square of this side first",
    }
    for name, help_text in sides.items():
        flags.DEFINE_integer(name, None, help_text, lower_bound=1, flag_values=values)
    flags.DEFINE_bool("gray_scale", False, "keep the luminance only", flag_values=values)
    define_path("data_dir", None, "where TFDS keeps its prepared sets", values)


def new_flags() -> flags.FlagValues:
    """An empty set of flags with --help and --version; nothing is registered globally."""
    values = flags.FlagValues()
    flags.DEFINE_bool("help", False, "show this help", flag_values=values, short_name="h")
    flags.DEFINE_bool("version", False, "show the version", flag_values=values)
    return values


def parse(
    values: flags.FlagValues,
    arguments: Sequence[str],
    positional: Sequence[str] = (),
    many: bool = False,
) -> list[str]:
    """Reads a command line into `values`; returns the positional arguments.

    Args:
        values: Flags defined before.
        arguments: The command line without the program's name.
        positional: Names of the positional arguments, all needed unless help is asked for.
        many: Take any number of further positional arguments.

    Raises:
        UsageError: If a flag is unknown or wrong, or there are too many or too few positional
            arguments.
    """
    try:
        rest = values(["tfwgan", *arguments])[1:]
    except flags.UnrecognizedFlagError as error:
        meant = _MEANT.get(error.flagname.lower())
        raise UsageError(
            f"Unknown flag --{error.flagname}; {meant}." if meant else one_line(error)
        ) from None
    except flags.Error as error:
        raise UsageError(one_line(error)) from None
    if values["help"].value or values["version"].value:
        return rest
    if len(rest) > len(positional) and not many:
        raise UsageError(
            f"Unexpected argument {rest[len(positional)]!r}; flags are written --name=value."
        )
    if len(rest) < len(positional):
        raise UsageError(f"{positional[len(rest)]} is missing; --help tells more.")
    return [os.path.expanduser(one) for one in rest]


def describe_flags(values: flags.FlagValues, groups: dict[str, Sequence[str]] | None = None) -> str:
    """The flags with their defaults, in the order of definition.

    They stand under heads if `groups` gives names by head.
    """
    names = [
        name for name in values if name == values[name].name and name not in ("help", "version")
    ]
    grouped = [name for members in (groups or {}).values() for name in members]
    heads = {**(groups or {}), "Flags": [name for name in names if name not in grouped]}
    return "\n\n".join(
        "\n".join([f"{head}:", *(_described(values[name]) for name in members)])
        for head, members in heads.items()
    )


def _described(flag: flags.Flag) -> str:
    default = "" if flag.default is None or flag.default is False else f" [{flag.default}]"
    text = " ".join(f"--{flag.name}: {flag.help}{default}".split())
    # Nothing is broken within a spec, which could not be copied then.
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def run(
    command: Callable[..., int | None],
    define: Callable[[flags.FlagValues], None],
    usage: str,
    positional: Sequence[str] = (),
    arguments: Sequence[str] | None = None,
    many: bool = False,
    groups: dict[str, Sequence[str]] | None = None,
) -> int:
    """Runs a command and returns its exit code.

    That is what `command` says (None means 0), 2 after a mistake, or 130 after Ctrl-C.

    What the machine has no room for, memory or disk, is told in one line too, with exit code 1.

    Args:
        command: Called with the positional arguments and, last, the flags.
        define: Defines the command's flags.
        usage: What --help prints above the list of flags.
        positional: Names of the positional arguments.
        arguments: The command line; by default this process's.
        many: Take any number of further positional arguments.
        groups: Names of flags by the heads that --help lists them under.
    """
    for stream in (sys.stdout, sys.stderr):
        screen.any_text(stream)
    values = new_flags()
    define(values)
    try:
        rest = parse(values, sys.argv[1:] if arguments is None else arguments, positional, many)
        if values["version"].value:
            print(f"tfwgan {__version__}")
            code = 0
        elif values["help"].value:
            print(f"{usage.strip()}\n\n{describe_flags(values, groups)}")
            code = 0
        else:
            code = command(*rest, values) or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except UsageError as error:
        return _answer(with_dashes(one_line(error), values), 2)
    except KeyboardInterrupt as error:
        return _answer(str(error) or "interrupted.", 130)
    except BrokenPipeError:  # as `tfwgan --help | head`
        screen.silence(sys.stdout)
        return 1
    except Exception as error:
        if (missing := lack(error)) is None:
            raise
        if isinstance(error, OSError):
            screen.silence(sys.stdout)
        return _answer(f"{with_dashes(missing, values)}.", 1)


def with_dashes(text: str, known: Iterable[str]) -> str:
    """A message of the library as the command line tells it.

    There `batch_size=64` becomes --batch_size=64 where the flag is known.
    """
    known = set(known)
    return re.sub(
        r"`([a-z_]+)(=[^`]*)?`",
        lambda found: f"--{found[1]}{found[2] or ''}" if found[1] in known else found[0],
        text,
    )


def _answer(text: str, code: int) -> int:
    """Says why a command ends; returns its exit code."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"tfwgan: {text}", file=sys.stderr, flush=True)
    return code


@contextlib.contextmanager
def writing_to(out: str | Path, named: str = "--out") -> Iterator[None]:
    """Inside this, what can't be written is a mistake in a command's --out, or another flag."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"Can't write {named}={out}: {error.strerror}.") from None


def program() -> str:
    """How to call this program from the same shell.

    It is `tfwgan` where that is installed, and else goes through its interpreter.
    """
    here = Path(sys.executable)
    command = here.with_name("tfwgan")
    found = shutil.which("tfwgan")
    if found and Path(found) == command:
        return "tfwgan"
    if command.exists():
        return shlex.quote(_short(command))
    return f"{python()} -m tfwgan"


def python() -> str:
    """How to call this interpreter from the same shell.

    It is called by its name if that finds it, and else by its path.
    """
    here = Path(sys.executable)
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and Path(found) == here:
            return name
    return shlex.quote(_short(here))


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
