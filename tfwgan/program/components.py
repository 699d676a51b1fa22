"""What a spec may name, and with which options, known without TensorFlow.

A typo is answered before TensorFlow is loaded.

`components.json` is written from the tables themselves (``python -m tfwgan.program.components``),
and a test compares the two: the tables stay the only place where a component or an option is
defined.
"""

import functools
import importlib
import importlib.resources
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from tfwgan.errors import UsageError
from tfwgan.program import spec
from tfwgan.program.config import Config, fields
from tfwgan.program.hints import unknown_data
from tfwgan.program.spec import REQUIRED, Option

# Field of `Config` -> what its specs name, the table's module and name, and what the program sets
# itself.
FAMILIES = {
    "data": ("data set", "tfwgan.data", "DATASETS", ("data_dir", "view", "limit_data")),
    "z_prior": ("prior", "tfwgan.priors", "PRIORS", ("z_dim",)),
    "gen_arch": (
        "generator",
        "tfwgan.networks",
        "GENERATORS",
        ("z_dim", "image_shape", "n_classes"),
    ),
    "disc_arch": ("critic", "tfwgan.networks", "CRITICS", ("z_dim", "image_shape", "n_classes")),
    "rec_arch": (
        "reconstructor",
        "tfwgan.networks",
        "RECONSTRUCTORS",
        ("z_dim", "image_shape", "n_classes"),
    ),
    "augment": ("augmentation", "tfwgan.augment", "AUGMENTATIONS", ()),
    "loss": ("loss", "tfwgan.objectives", "OBJECTIVES", ()),
    "g_opt": ("generator's optimizer", "tfwgan.optimizers", "OPTIMIZERS", ("updates",)),
    "d_opt": ("critic's optimizer", "tfwgan.optimizers", "OPTIMIZERS", ("updates",)),
    "metrics": ("metric", "tfwgan.metrics", "METRICS", ("features",)),
    "features": ("features", "tfwgan.metrics.extractors", "EXTRACTORS", ()),
    "scores": ("score", "tfwgan.metrics", "FEATURE_METRICS", ("features",)),
}

_TYPES = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "ints": tuple[int, ...],
    "texts": tuple[str, ...],
}
_NAMES = {hint: name for name, hint in _TYPES.items()}


def check(config: Config) -> None:
    """Reads every spec of a configuration, so that a mistake in one is told at once.

    Raises:
        UsageError: If a name, an option or a value is not understood.
    """
    for field in FAMILIES.keys() & fields().keys():
        value = getattr(config, field)
        for text in value if isinstance(value, tuple) else [value]:
            check_spec(field, text)


def check_spec(field: str, text: str) -> None:
    """Reads one spec of a field of `Config`, as in ``check_spec("data", "ring8-n=64")``.

    Its errors are those of `check`.
    """
    kind, components = FAMILIES[field][0], known(field)
    name = spec.parse(text, kind).name if field in ("data", "metrics") else ""
    if field == "data" and name == "given":
        return  # what a program handed over; loading says what to do
    if field == "data" and name not in components:
        raise unknown_data(text, name, components)
    if text == "auto" and field in ("g_opt", "d_opt", "features"):
        return
    if field == "metrics" and "," in name:
        raise UsageError(f"--metrics={text} names several; give each its own --metrics=...")
    chain = text.split(",") if text.strip() else []
    for part in chain if field == "augment" else [text]:
        spec.read(part, kind, components, components.__getitem__)


@functools.cache
def known(field: str) -> dict[str, dict[str, Option]]:
    """The components that a field of `Config` may name, each with its options."""
    path = importlib.resources.files("tfwgan.program") / "components.json"
    table = json.loads(path.read_text(encoding="utf-8"))[FAMILIES[field][2]]
    return {
        name: {key: _option(one) for key, one in options.items()} for name, options in table.items()
    }


def describe(field: str) -> str:
    """Lists the components that a field of `Config` may name, one a line.

    Each stands there with its options and their defaults.
    """
    return "\n".join(f"  {name}{options_shown(field, name)}" for name in known(field))


def options_shown(field: str, name: str) -> str:
    """The options of a component with their defaults, behind its name in a list."""
    return "".join(f"  {key}{_shown(option)}" for key, option in known(field)[name].items())


def table(field: str) -> Mapping[str, Any]:
    """The table of components that a field of `Config` may name. Loads TensorFlow."""
    _, module, name, _ = FAMILIES[field]
    return getattr(importlib.import_module(module), name)


def tables() -> dict[str, dict[str, dict[str, Any]]]:
    """What `components.json` is to hold, from the tables. Loads TensorFlow."""
    result = {}
    for field, (_, _, name, context) in FAMILIES.items():
        rows = table(field).items()
        result[name] = {component: _records(row, context) for component, row in rows}
    return result


def _records(factory: Callable[..., Any], context: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {
        key: _record(option)
        for key, option in spec.options_of(factory).items()
        if key not in context
    }


def _record(option: Option) -> dict[str, Any]:
    """An option as JSON."""
    hint, optional = option.hint, False
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (hint,), optional = [part for part in hint.__args__ if part is not type(None)], True
    choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else None
    record: dict[str, Any] = {"choices": list(choices)} if choices else {"type": _NAMES[hint]}
    record |= {"optional": True} if optional else {}
    return record if option.default is REQUIRED else {**record, "default": option.default}


def _option(record: Mapping[str, Any]) -> Option:
    """An option from JSON."""
    hint = Literal[tuple(record["choices"])] if "choices" in record else _TYPES[record["type"]]
    return Option(hint | None if record.get("optional") else hint, record.get("default", REQUIRED))


def _shown(option: Option) -> str:
    """Default, and choices if there are few, in a list of options."""
    choices = typing.get_args(option.hint) if typing.get_origin(option.hint) is Literal else ()
    if option.default is REQUIRED:
        return "=<" + ("|".join(choices) or "value") + ">"
    return f"={option.default}" + (f" ({'|'.join(choices)})" if choices else "")


if __name__ == "__main__":
    Path(__file__).with_name("components.json").write_text(
        json.dumps(tables(), indent=1) + "\n", encoding="utf-8"
    )
