"""The language in which every component is named: ``name[=value][-key=value]*``.

``const=64`` is the prior ``const`` with its first option set to 64, ``DCGAN-nf=32-norm=batch`` the
network ``DCGAN`` with two options. A ``-`` separates only in front of ``identifier=``, so
``lr=1e-4``, ``low=-0.5`` and ``folder=/data/my-faces`` mean what they say. Names, defaults, types
and allowed values live in one place, the signature of the factory that a name stands for. This
module is the only reader of the language.
"""

import ast
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tfwgan.errors import UsageError, suggest, text_in

_SEPARATOR = re.compile(r"-(?=[A-Za-z_]\w*=)")


@dataclass(frozen=True)
class Spec:
    """A parsed spec; ``str(parse(text)) == text`` for every valid text without outer blanks."""

    name: str
    value: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        head = self.name if self.value is None else f"{self.name}={self.value}"
        return "-".join([head, *(f"{key}={text}" for key, text in self.options.items())])


def parse(text: str, kind: str = "spec") -> Spec:
    """Splits a spec into its name, its first value and its options, all still text.

    Raises:
        UsageError: If the name is empty or an option is given twice.
    """
    head, *tail = _SEPARATOR.split(str(text).strip())
    name, equals, value = head.partition("=")
    if not name:
        raise UsageError(f"{kind} {text!r} has no name; write it as name[=value][-option=value].")
    options: dict[str, str] = {}
    for part in tail:
        key, _, option = part.partition("=")
        if key in options:
            raise UsageError(f"{kind} {text!r} gives the option {key!r} twice.")
        options[key] = option
    return Spec(name, value if equals else None, options)


@dataclass(frozen=True)
class Option:
    """One option of a component: its type as an annotation, and its default (`REQUIRED`: none)."""

    hint: Any
    default: Any


REQUIRED = inspect.Parameter.empty


def options_of(row: Any) -> dict[str, Option]:
    """The options of a row of a table, in order.

    Those of a factory are in its signature, those of a value are its `parameters`.
    """
    if hasattr(row, "with_"):
        return {name: Option(one.annotation, one.default) for name, one in row.parameters.items()}
    factory = row
    # A class is asked by its own __init__: Python before 3.11.4 answers for a class with a __new__
    # of Keras.
    function = factory.__init__ if inspect.isclass(factory) else factory
    parameters = list(inspect.signature(function).parameters.values())[
        1 if inspect.isclass(factory) else 0 :
    ]
    hints = typing.get_type_hints(function)
    return {one.name: Option(hints.get(one.name, str), one.default) for one in parameters}


def build(text: str, table: Mapping[str, Any], kind: str, **context: Any) -> Any:
    """What the row of `table` that `text` names makes of its options.

    Args:
        text: A spec.
        table: Factories by name, or values whose `with_` makes others.
        kind: What the table holds, for messages ("generator", "prior", ...).
        **context: What the program knows; a factory receives those it has a parameter for, a spec
            can't set them.

    Raises:
        UsageError: If a name, an option or a value is not understood, or the factory refuses them.
    """

    def free(name: str) -> dict[str, Option]:
        return {
            key: option for key, option in options_of(table[name]).items() if key not in context
        }

    name, values = read(text, kind, table, free)
    known = {key: value for key, value in context.items() if key in options_of(table[name])}
    make = getattr(table[name], "with_", table[name])
    try:
        return make(**values, **known)
    except UsageError as error:
        raise UsageError(f"{kind} {text!r}: {error}") from error


def read(
    text: str, kind: str, names: Iterable[str], options: Callable[[str], Mapping[str, Option]]
) -> tuple[str, dict[str, Any]]:
    """The name in a spec, and its options as values of their types.

    Args:
        text: A spec.
        kind: What is named, for messages.
        names: The known names.
        options: From one of them to the options that a spec may set.

    Raises:
        UsageError: If a name, an option or a value is not understood.
    """
    spec = parse(text, kind)
    if spec.name not in names:
        raise UsageError(f"Unknown {kind} {spec.name!r}{suggest(spec.name, names)}")
    free = options(spec.name)
    given = dict(spec.options)
    if spec.value is not None:
        if not free:
            raise UsageError(f"{kind} {spec.name!r} takes no value, got {spec.value!r}.")
        first = next(iter(free))
        if first in given:
            raise UsageError(f"{kind} {text!r} gives the option {first!r} twice.")
        given = {first: spec.value, **given}
    for key in given:
        if key not in free:
            raise UsageError(f"{kind} {spec.name!r} has no option {key!r}{suggest(key, free)}")
    for key, option in free.items():
        if option.default is REQUIRED and key not in given:
            raise UsageError(f"{kind} {spec.name!r} needs a value: write {spec.name}=<{key}>.")
    return spec.name, {
        key: convert(raw, free[key].hint, f"{kind} {text!r}: {key}") for key, raw in given.items()
    }


def convert(value: Any, hint: Any, what: str) -> Any:
    """Reads a value, usually text, as the type that an annotation names.

    Args:
        value: Text, or a value that a YAML file already typed.
        hint: ``bool``, ``int``, ``float``, ``str``, ``tuple[int, ...]``, ``tuple[str, ...]``,
            ``Literal[...]``, or one of them ``| None``.
        what: What the value is, to start the message with.

    Raises:
        UsageError: If the value can't be read so, or is not finite.
    """
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        if value is None or str(value).lower() in ("none", ""):
            return None
        hint = next(part for part in hint.__args__ if part is not type(None))
    if typing.get_origin(hint) is typing.Literal:
        choices = typing.get_args(hint)
        if str(value) not in choices:
            raise UsageError(f"{what} can't be {text_in(value)}{suggest(str(value), choices)}")
        return str(value)
    if typing.get_origin(hint) is tuple:
        of_text = typing.get_args(hint)[0] is str
        return _texts(value, what) if of_text else _whole_numbers(value, what)
    return _READERS[hint](value, what)


def _boolean(value: Any, what: str) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise UsageError(f"{what} must be True or False, got {text_in(value)}.")
    return text == "true"


def _integer(value: Any, what: str) -> int:
    try:
        if isinstance(value, bool | float):
            raise ValueError
        return int(value)
    except (ValueError, TypeError):
        raise UsageError(f"{what} must be a whole number, got {text_in(value)}.") from None


def _real(value: Any, what: str) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{what} must be a number, got {text_in(value)}.") from None
    if not math.isfinite(number):
        raise UsageError(f"{what} must be finite, got {text_in(value)}.")
    return number


def _text(value: Any, what: str) -> str:
    if value is None or isinstance(value, dict | list):
        raise UsageError(f"{what} must be text, got {text_in(value)}.")
    return str(value)


def _whole_numbers(value: Any, what: str) -> tuple[int, ...]:
    try:
        numbers = ast.literal_eval(value) if isinstance(value, str) else value
        numbers = tuple(numbers) if isinstance(numbers, tuple | list) else (numbers,)
    except (
        ValueError,
        TypeError,
        SyntaxError,
        MemoryError,
        RecursionError,
    ):  # all that literal_eval may raise
        numbers = (None,)
    if not all(type(number) is int for number in numbers):
        raise UsageError(f"{what} must be whole numbers such as (1,2,4), got {text_in(value)}.")
    return numbers


def _texts(value: Any, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, tuple | list) else [] if value in (None, "") else [value]
    return tuple(_text(one, what) for one in values)


_READERS = {bool: _boolean, int: _integer, float: _real, str: _text}
