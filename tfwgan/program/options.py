"""Lists the components that a spec may name, with their options and defaults."""

import inspect
from typing import Any

from absl import flags

from tfwgan.errors import UsageError, suggest
from tfwgan.program import components
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan options [data|z_prior|gen_arch|disc_arch|rec_arch|augment|loss|g_opt|d_opt|metrics]

Lists what the flag of that name may say, a component a line, with its options and their defaults;
without a name all of them. A component is written with its options as name[=value][-option=value]*;
a bare value sets the first option.
"""
POSITIONAL = ()
MANY = True


def define_flags(values: flags.FlagValues) -> None:
    """Defines none: the verb has no flags of its own."""


def command(*arguments: Any) -> None:
    """Prints the lists that are asked for: `arguments` are names of flags, then the flags."""
    *fields, _ = arguments
    for field in fields:
        if field not in components.FAMILIES:
            raise UsageError(f"Unknown flag {field!r}{suggest(field, components.FAMILIES)}")
    print(
        "\n\n".join(
            f"--{field}\n{components.describe(field)}" for field in fields or components.FAMILIES
        )
    )


def explain(name: str) -> str:
    """What a component is, wherever its name is used, with its options: ``--help=DCGAN``.

    Raises:
        UsageError: If there is none of that name.
    """
    fields = [field for field in components.FAMILIES if name in components.known(field)]
    if not fields:
        every = dict.fromkeys(
            one for field in components.FAMILIES for one in components.known(field)
        )
        raise UsageError(f"Unknown component {name!r}{suggest(name, every)}")
    with quiet_tensorflow():
        rows = {field: components.table(field)[name] for field in fields}
    texts = []
    for field, row in rows.items():
        head = f"--{field}={name}{components.options_shown(field, name)}"
        texts.append(f"{head}\n\n{inspect.getdoc(row)}")
    return "\n\n\n".join(texts)
