"""Any damage leads to the next older state or to one line.

It never leads to a traceback, and never to a wrong state.
"""

import json
import os
import shutil
import zipfile

import numpy as np
import pytest
from conftest import TINY
from hypothesis import given, settings
from hypothesis import strategies as st

from tfwgan import checkpoint, saved_model
from tfwgan.errors import UsageError
from tfwgan.program import experiment
from tfwgan.program.config import Config, read_config
from tfwgan.program.runs import Run, rows_of


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    config = Config(
        **{
            **TINY,
            "gen_arch": "MLP-dim=2",
            "disc_arch": "MLP-dim=2",
            "out_dir": str(folder),
            "name": "run",
        }
    )
    return experiment.fit(experiment.build(config), verbose=False).run_dir


@pytest.fixture(scope="module")
def newest(run):
    return checkpoint.paths(run / "checkpoints")[0].read_bytes()


def same(one, other):
    (arrays, meta), (others, other_meta) = one, other
    return meta == other_meta and arrays.keys() == others.keys() and all(
        np.array_equal(arrays[name], others[name]) and arrays[name].dtype == others[name].dtype
        for name in arrays
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(run):
    return checkpoint.load(checkpoint.paths(run / "checkpoints")[0])


def accepted(content, tmp_path):
    """What a checkpoint of this content is read as; None if it is called damaged."""
    path = tmp_path / "step_000004.npz"
    path.write_bytes(content)
    try:
        return checkpoint.load(path)
    except UsageError as error:
        assert "damaged" in str(error) and "\n" not in str(error)
        return None


@pytest.mark.slow
def test_one_flipped_bit_anywhere_is_noticed_or_harmless(newest, whole, tmp_path):
    rng = np.random.default_rng(0)
    directory = newest.find(b"PK\x01\x02")
    places = [*rng.integers(0, len(newest), 150), *rng.integers(directory, len(newest), 250)]
    noticed = 0
    for place in places:
        content = bytearray(newest)
        content[place] ^= 1 << rng.integers(8)
        read = accepted(bytes(content), tmp_path)
        noticed += read is None
        assert read is None or same(read, whole), place
    assert noticed > len(places) // 2


def test_any_cut_and_any_hole_is_noticed(newest, whole, tmp_path):
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(newest) - 1, 40):
        assert accepted(newest[:place], tmp_path) is None
        hole = newest[:place] + bytes(min(64, len(newest) - place)) + newest[place + 64 :]
        assert (read := accepted(hole, tmp_path)) is None or same(read, whole)


@pytest.mark.parametrize(
    "note", ["[]", "{}", "5", "null", '{"step": "x"}', '{"step": -1}', '{"step": true}', "{", ""]
)
def test_a_note_that_is_none_is_damage(note, tmp_path):
    np.savez(
        tmp_path / "step_000004.npz",
        a=np.zeros(3),
        **{"meta.json": np.frombuffer(note.encode(), np.uint8)},
    )
    with pytest.raises(UsageError, match="damaged"):
        checkpoint.load(tmp_path / "step_000004.npz")


def test_arrays_of_another_checkpoint_are_damage(run, newest, tmp_path):
    """Each member has a right checksum; only the note tells that they don't belong together."""
    first, second = (tmp_path / name for name in ("step_000002.npz", "step_000004.npz"))
    shutil.copy(checkpoint.paths(run / "checkpoints")[1], first)
    second.write_bytes(newest)
    with zipfile.ZipFile(first) as old, zipfile.ZipFile(second) as new:
        mixed = {name: new.read(name) for name in new.namelist()}
        swapped = next(
            name
            for name in mixed
            if name.startswith("generator/") and old.read(name) != mixed[name]
        )
        mixed[swapped] = old.read(swapped)
    with zipfile.ZipFile(second, "w") as archive:
        for name, content in mixed.items():
            archive.writestr(name, content)
    with pytest.raises(UsageError, match="is not what was written"):
        checkpoint.load(second)


JUNK = [
    *(
        b"\xff\xfe\n",
        b'{"step": 6, "lo\xc3',
        b"5\n",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b"NaN\n",
        b"\0" * 100,
    ),
    *(
        b'{"step": null}\n',
        b'{"step": "3"}\n',
        b'{"step": true}\n',
        b'{"step": 1e400}\n',
        b'{"step": 3.0}\n',
    ),
    b"[" * 100000 + b"\n",
]


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:16]))
@pytest.mark.parametrize("where", ["before", "between", "after"])
def test_lines_that_are_no_rows_are_passed_over(junk, where, tmp_path):
    rows = [b'{"step": 2, "a": 1}\n', b'{"step": 4}\n']
    rows.insert(
        {"before": 0, "between": 1, "after": 2}[where],
        junk if junk.endswith(b"\n") else junk + b"\n",
    )
    with Run.create(Config(out_dir=str(tmp_path), name="r")) as run:
        (run.path / "metrics.jsonl").write_bytes(b"".join(rows))
        assert [row["step"] for row in rows_of(run.path)] == [2, 4]
        run.drop_rows_after(3)
        assert run.rows() == [{"step": 2, "a": 1}]


@settings(deadline=None, max_examples=150, database=None)
@given(st.binary(max_size=60), st.sampled_from([".yaml", ".json"]))
def test_any_bytes_are_a_configuration_or_one_line(tmp_path_factory, content, ending):
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(content)
    try:
        Config(**read_config(path))
    except UsageError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a: !!bool maybe",
        "name: !!timestamp x",
        "loss: " + "[" * 3000,
        "steps: &a [1, *a]",
        "seed: &a [x]\nname: *a",
    ],
)
def test_what_yaml_can_make_of_a_value_is_a_word_or_refused(text, tmp_path):
    (tmp_path / "a.yaml").write_text(text + "\n")
    with pytest.raises(UsageError) as caught:
        Config(**read_config(tmp_path / "a.yaml"))
    assert "\n" not in str(caught.value)


WORDS = [
    "010",
    "12:30",
    "no",
    "on",
    "1.10",
    "1_0",
    "0x1F",
    "2026-10-01",
    "1e3",
    "+7",
    "y",
    "true",
    "0o17",
    "1.",
    "=",
    "<<x",
]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("key", ["name", "out_dir", "data_dir", "data", "loss"])
def test_a_word_in_yaml_is_what_stands_there(word, key, tmp_path):
    (tmp_path / "a.yaml").write_text(f"{key}: {word}\n")
    assert getattr(Config(**read_config(tmp_path / "a.yaml")), key) == word


@pytest.mark.parametrize(
    "ending, text",
    [("yaml", "steps: 7\nloss: wgan\nsteps: 9\n"), ("json", '{"seed": 1, "seed": 1}')],
)
def test_a_key_that_stands_twice_is_refused(ending, text, tmp_path):
    (tmp_path / f"a.{ending}").write_text(text)
    with pytest.raises(UsageError, match="twice"):
        read_config(tmp_path / f"a.{ending}")


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


DAMAGES = {
    "junk": lambda m: (m / "saved_model.pb").write_bytes(b"junk"),
    "empty": lambda m: (m / "saved_model.pb").write_bytes(b""),
    "half": lambda m: cut(m / "saved_model.pb", (m / "saved_model.pb").stat().st_size // 2),
    "cut weights": lambda m: cut(m / "variables/variables.data-00000-of-00001", 100),
    "cut index": lambda m: cut(m / "variables/variables.index", 20),
    "no weights": lambda m: shutil.rmtree(m / "variables"),
    "no data": lambda m: os.unlink(m / "variables/variables.data-00000-of-00001"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_saved_model_is_named(damage, run, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(run / "export" / "saved_model", model)
    DAMAGES[damage](model)
    with pytest.raises(UsageError, match="can't be read") as caught:
        saved_model.load(model)
    assert str(model) in str(caught.value) and "\n" not in str(caught.value)


def test_an_older_state_is_taken_whatever_the_newest_is(run, tmp_path):
    for content in (b"", b"PK", os.urandom(1000), json.dumps({"step": 9}).encode()):
        shutil.copy(checkpoint.paths(run / "checkpoints")[1], tmp_path / "step_000002.npz")
        (tmp_path / "step_000009.npz").write_bytes(content)
        with pytest.warns(UserWarning, match="step_000009.npz is damaged"):
            assert checkpoint.load_newest(tmp_path)[1]["step"] == 2
