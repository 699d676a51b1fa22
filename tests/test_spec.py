"""Laws of the language ``name[=value][-key=value]*`` and of the values in it."""

import math
import re
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfwgan.errors import UsageError
from tfwgan.program import spec
from tfwgan.program.spec import Spec, build, convert, parse

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Z", "C"]), max_size=12).filter(
    lambda text: not re.search(r"-[A-Za-z_]\w*=", text)
)


def probe(
    z_dim: int,
    n: int,
    low: float = -1.0,
    on: bool = False,
    mults: tuple[int, ...] = (1, 2),
    kind: Literal["conv", "dense"] = "conv",
    limit: int | None = None,
    folder: str = "here",
):
    """Hands back what it was given; of `n`, only positive numbers are fine."""
    if n < 1:
        raise UsageError(f"n must be at least 1, got {n}.")
    return {k: v for k, v in locals().items()}


def nothing(z_dim: int):
    """Has no option of its own."""
    return z_dim


class Thing:
    """A factory may be a class."""

    def __init__(self, z_dim: int, size: float = 1.0):
        self.z_dim, self.size = z_dim, size


TABLE = {"probe": probe, "nothing": nothing, "thing": Thing}


def built(text):
    return build(text, TABLE, "part", z_dim=7, unused=object())


@settings(deadline=None, max_examples=200, database=None)
@given(NAMES, st.none() | VALUES, st.dictionaries(NAMES, VALUES, max_size=4))
def test_every_spec_is_read_back_as_it_was_written(name, value, options):
    one = Spec(name, value, options)
    assert parse(str(one)) == one
    assert list(parse(str(one)).options) == list(options)


@settings(deadline=None, max_examples=300, database=None)
@given(st.text("ab=-1._/", max_size=12))
def test_whatever_can_be_read_is_written_the_same(text):
    try:
        one = parse(text)
    except UsageError:
        return
    assert str(one) == text


SPLITS = [
    ("normal", "normal", None, {}),
    ("const=64", "const", "64", {}),
    ("const=64-replace=True", "const", "64", {"replace": "True"}),
    ("DCGAN-nf=32-norm=batch", "DCGAN", None, {"nf": "32", "norm": "batch"}),
    ("adam-lr=1e-4", "adam", None, {"lr": "1e-4"}),
    ("uniform-low=-0.5-high=0.5", "uniform", None, {"low": "-0.5", "high": "0.5"}),
    ("folder=/data/my-faces", "folder", "/data/my-faces", {}),
    ("folder=/data/my-faces-n=3", "folder", "/data/my-faces", {"n": "3"}),
    ("fashion-mnist", "fashion-mnist", None, {}),
    ("tfds=fashion-mnist", "tfds", "fashion-mnist", {}),
    ("tfds=a=b", "tfds", "a=b", {}),
    ("wgan=", "wgan", "", {}),
    ("wgan-gp=", "wgan", None, {"gp": ""}),
    ("  wgan-gp=1 ", "wgan", None, {"gp": "1"}),
]


@pytest.mark.parametrize("text, name, value, options", SPLITS, ids=[row[0] for row in SPLITS])
def test_a_dash_separates_only_in_front_of_an_option(text, name, value, options):
    assert parse(text) == Spec(name, value, options)


def test_a_value_binds_the_first_free_parameter():
    assert built("probe=3") == built("probe-n=3")
    assert built("probe=3-low=-0.5") | {"low": -1.0} == built("probe=3")
    assert built("thing=2.5").size == 2.5


def test_options_become_what_the_signature_says():
    text = "probe=5-low=-1e-3-on=true-mults=(1,2,4)-kind=dense-limit=9-folder=/data/my-faces"
    assert built(text) == {
        "z_dim": 7,
        "n": 5,
        "low": -1e-3,
        "on": True,
        "mults": (1, 2, 4),
        "kind": "dense",
        "limit": 9,
        "folder": "/data/my-faces",
    }
    assert built("nothing") == built("thing").z_dim == 7


MISTAKES = [
    ("", "part '' has no name; write it as name[=value][-option=value]."),
    ("=3", "part '=3' has no name"),
    ("-n=3", "part '-n=3' has no name"),
    ("prob=3", "Unknown part 'prob'; did you mean 'probe'? Known: probe, nothing, thing."),
    ("xyz", "Unknown part 'xyz'. Known: probe, nothing, thing."),
    ("probe=3-lo=1", "part 'probe' has no option 'lo'; did you mean 'low'? Known: n, low, on,"),
    ("probe=3-z_dim=8", "part 'probe' has no option 'z_dim'"),
    ("probe=3-unused=8", "part 'probe' has no option 'unused'"),
    ("nothing-z_dim=8", "part 'nothing' has no option 'z_dim'. Known: none."),
    ("nothing=8", "part 'nothing' takes no value, got '8'."),
    ("probe=3-low=1-low=2", "part 'probe=3-low=1-low=2' gives the option 'low' twice."),
    ("probe=3-n=3", "part 'probe=3-n=3' gives the option 'n' twice."),
    ("probe", "part 'probe' needs a value: write probe=<n>."),
    ("probe-low=1", "part 'probe' needs a value: write probe=<n>."),
    ("probe=", "part 'probe=': n must be a whole number, got ''."),
    ("probe=3-low=inf", "part 'probe=3-low=inf': low must be finite, got 'inf'."),
    (
        "probe=3-kind=cov",
        "part 'probe=3-kind=cov': kind can't be 'cov'; did you mean 'conv'? Known: conv, dense.",
    ),
    ("probe=0-low=1", "part 'probe=0-low=1': n must be at least 1, got 0."),
]


@pytest.mark.parametrize("text, message", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_told_in_one_line(text, message):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        built(text)
    assert "\n" not in str(caught.value)


def test_a_factory_that_breaks_is_not_taken_for_a_mistake_of_the_caller():
    def broken():
        raise ValueError("a defect of the program")

    with pytest.raises(ValueError, match="a defect") as caught:
        build("broken", {"broken": broken}, "part")
    assert not isinstance(caught.value, UsageError)


READINGS = [
    ("3", int, 3),
    (3, int, 3),
    ("-3", int, -3),
    ("1e-4", float, 1e-4),
    ("-.5", float, -0.5),
    (2, float, 2.0),
    ("true", bool, True),
    ("FALSE", bool, False),
    (True, bool, True),
    ("a b", str, "a b"),
    (3, str, "3"),
    ("", str, ""),
    ("(1,2,4)", tuple[int, ...], (1, 2, 4)),
    ("[1, 2]", tuple[int, ...], (1, 2)),
    ("1,2", tuple[int, ...], (1, 2)),
    ("5", tuple[int, ...], (5,)),
    ([1, 2], tuple[int, ...], (1, 2)),
    ("b", Literal["a", "b"], "b"),
    ("none", int | None, None),
    ("None", str | None, None),
    ("", float | None, None),
    (None, str | None, None),
    ("3", int | None, 3),
    ("0", float | None, 0.0),
    ("1,2", tuple[int, ...] | None, (1, 2)),
    ("a", Literal["a", "b"] | None, "a"),
]


@pytest.mark.parametrize("value, hint, expected", READINGS, ids=str)
def test_a_value_is_read_as_its_annotation_says(value, hint, expected):
    result = convert(value, hint, "it")
    assert result == expected and type(result) is type(expected)


REFUSALS = [
    ("3.0", int, "whole number"),
    (3.0, int, "whole number"),
    ("3x", int, "whole number"),
    (True, int, "whole number"),
    (None, int, "whole number"),
    ([1], int, "whole number"),
    ("one", float, "a number"),
    (True, float, "a number"),
    (None, float, "a number"),
    ("nan", float, "finite"),
    ("-inf", float, "finite"),
    ("1e999", float, "finite"),
    (math.nan, float, "finite"),
    ("nan", float | None, "finite"),
    (10**400, float, "must be"),
    ("yes", bool, "True or False"),
    (1, bool, "True or False"),
    (None, bool, "True or False"),
    (None, str, "must be"),
    ({"a": 1}, str, "text"),
    (["a"], str, "text"),
    ("(1,x)", tuple[int, ...], "whole numbers"),
    ("(1,2.5)", tuple[int, ...], "whole numbers"),
    ("(1", tuple[int, ...], "whole numbers"),
    ("", tuple[int, ...], "whole numbers"),
    ("{[]: 1}", tuple[int, ...], "whole numbers"),
    ([True], tuple[int, ...], "whole numbers"),
    ("c", Literal["a", "b"], "Known: a, b"),
    (None, Literal["a", "b"], "Known: a, b"),
]


@pytest.mark.parametrize("value, hint, message", REFUSALS, ids=str)
def test_a_value_of_another_type_is_refused(value, hint, message):
    with pytest.raises(UsageError, match="^it .*" + re.escape(message)):
        convert(value, hint, "it")


@settings(deadline=None, max_examples=200, database=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
    st.lists(st.integers(), min_size=1).map(tuple),
)
def test_numbers_survive_being_written(x, n, ns):
    assert convert(str(x), float, "x") == x
    assert convert(str(n), int, "n") == n
    assert convert(str(ns), tuple[int, ...], "ns") == ns


@pytest.mark.parametrize(
    "word, known, end",
    [
        ("wgan_gb", ["gan", "wgan_gp"], "; did you mean 'wgan_gp'? Known: gan, wgan_gp."),
        ("q", ["gan"], ". Known: gan."),
        ("q", [], ". Known: none."),
    ],
)
def test_the_nearest_known_word_is_offered(word, known, end):
    assert spec.suggest(word, known) == end
