"""Lists the components that a spec may name, with their options and defaults."""

from absl import flags

from tfwgan.errors import UsageError, suggest
from tfwgan.program import components

USAGE = """\
usage: tfwgan options [data|z_prior|gen_arch|disc_arch|rec_arch|augment|loss|g_opt|d_opt|metrics]

Lists what the flag of that name may say, a component a line, with its options and their defaults;
without a name all of them. A component is written with its options as name[=value][-option=value]*;
a bare value sets the first option.
"""
POSITIONAL = ()
MANY = True


def define_flags(values: flags.FlagValues) -> None:
    """None."""


def command(*arguments) -> None:
    """Prints the lists that are asked for."""
    *fields, _ = arguments
    for field in fields:
        if field not in components.FAMILIES:
            raise UsageError(f"Unknown flag {field!r}{suggest(field, components.FAMILIES)}")
    print(
        "\n\n".join(
            f"--{field}\n{components.describe(field)}" for field in fields or components.FAMILIES
        )
    )
