"""Options of an objective, as text for its `help`."""

import inspect
import textwrap
from collections.abc import Mapping


def documented(about: str, parameters: Mapping[str, inspect.Parameter]) -> str:
    """What an objective is, and which options its `with_` takes, with their present values."""
    values = [
        f"{name} (to be given)" if one.default is one.empty else f"{name}={one.default}"
        for name, one in parameters.items()
    ]
    listed = textwrap.fill(f"Options of `with_`: {', '.join(values)}.", 88, break_on_hyphens=False)
    return f"{inspect.cleandoc(about)}\n\n{listed}" if values else inspect.cleandoc(about)
