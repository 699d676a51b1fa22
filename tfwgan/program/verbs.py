"""The command `tfwgan VERB`: finds the module of a verb and runs it."""

import difflib
import importlib
import sys
from collections.abc import Sequence

from tfwgan import __version__
from tfwgan.errors import UsageError
from tfwgan.program import cli

VERBS = {
    "train": "trains a GAN, or goes on with a run",
    "sample": "draws samples from an exported model",
    "interpolate": "walks between latents of an exported model",
    "export": "writes the SavedModel of a run or a checkpoint",
    "traverse": "moves the codes of an EigenGAN or an InfoGAN",
    "evaluate": "scores samples against real ones: FID, KID, precision, recall, ...",
    "inspect-atoms": "tells what became of the atoms of a discrete generator",
    "ot-means": "finds k points near to a data set (OTMeans)",
    "distances": "draws worked examples of distances between laws",
    "reproduce": "figures of Elnekave and Weiss (2025)",
    "compare": "compares GANs: modes, losses, epochs, clipping, scores, stacked",
    "benchmark": "times standard workloads",
    "options": "lists losses, networks, priors, data and metrics with their options",
}

_USAGE = f"""\
usage: tfwgan VERB [argument ...] [--flag=value ...]

{chr(10).join(f"  {verb:<14} {text}" for verb, text in VERBS.items())}

`tfwgan VERB --help` tells more, `tfwgan --help=DCGAN` all of one component.
The first thing to try: tfwgan train --config=ring8_wgan_gp
"""


def run(verb: str, arguments: Sequence[str] | None = None) -> int:
    """Runs one verb with its part of the command line and returns its exit code.

    By default that part is all of this process's command line.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if (name := _asked(arguments)) is not None:
        return _explain(name)
    module = importlib.import_module(f"tfwgan.program.{verb.replace('-', '_')}")
    return cli.run(
        module.command,
        module.define_flags,
        module.USAGE,
        module.POSITIONAL,
        arguments,
        many=getattr(module, "MANY", False),
        groups=getattr(module, "GROUPS", None),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit code."""
    first, *rest = [*(sys.argv[1:] if arguments is None else arguments), ""]
    if first.replace("_", "-") in VERBS:
        return run(first.replace("_", "-"), rest[:-1])

    if (name := _asked([first])) is not None:
        return _explain(name)

    def command(*_: object) -> int:
        if not first:
            print(_USAGE.strip())
            return 2
        if first.startswith("-"):
            raise UsageError(f"A verb comes first; did you mean `tfwgan train {first}`?")
        near = difflib.get_close_matches(first, VERBS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(VERBS)}."
        raise UsageError(f"Unknown verb {first!r}; {hint}")

    if first in ("--help", "-h", "-help", "help"):
        return cli.run(lambda *_: print(_USAGE.strip()), lambda _: None, _USAGE, arguments=[])
    if first in ("--version", "-version", "version"):
        return cli.run(
            lambda *_: print(f"tfwgan {__version__}"), lambda _: None, _USAGE, arguments=[]
        )
    return cli.run(command, lambda _: None, _USAGE, arguments=[])


def _asked(arguments: Sequence[str]) -> str | None:
    """The component that ``--help=NAME`` asks about, if any does."""
    named = [one.partition("=")[2] for one in arguments if one.startswith("--help=")]
    return next((name for name in named if name.lower() not in ("true", "false", "")), None)


def _explain(name: str) -> int:
    """Prints all of a component; returns the exit code."""
    explain = importlib.import_module("tfwgan.program.options").explain
    return cli.run(lambda *_: print(explain(name)), lambda _: None, _USAGE, arguments=[])
