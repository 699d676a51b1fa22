"""Laws of the run folder: one holder, whole files, honest resuming."""

import json
import os

import pytest

from tfwgan.errors import UsageError
from tfwgan.files import write_atomically
from tfwgan.program.config import Config
from tfwgan.program.runs import Run, differences


@pytest.fixture
def config(tmp_path):
    return Config(out_dir=str(tmp_path), name="run")


def change(config, **values):
    return Config(**{**config.as_dict(), **values})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["replace", "fsync"])
@pytest.mark.parametrize("before", [b"old", None])
def test_a_file_that_can_not_be_finished_leaves_the_old_one(tmp_path, monkeypatch, step, before):
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert names(tmp_path) == ([] if before is None else ["file"])
    assert before is None or path.read_bytes() == before


def test_a_finished_file_has_the_new_content(tmp_path):
    for content in (b"", b"one", b"two" * 1000):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert names(tmp_path) == ["file"]


def test_a_new_run_writes_its_configuration(config):
    with Run.create(config) as run:
        assert run.path == config.run_dir
        assert Config(**json.loads((run.path / "config.json").read_text())) == config
        assert run.file("images", "a.png") == run.path / "images" / "a.png"
        assert (run.path / "images").is_dir()


def test_a_second_holder_is_refused_until_the_first_lets_go(config):
    with Run.create(config):
        with pytest.raises(UsageError, match="in use by another process"):
            Run.resume(config)
    Run.resume(config).close()
    with Run.resume(config):
        with pytest.raises(UsageError, match="in use"):
            Run.resume(config)


def test_two_beginnings_at_once_are_one_run(config):
    """Both saw an empty folder; the one that came second to the lock is sent away."""
    config.run_dir.mkdir()
    first = Run.create(config)
    (config.run_dir / "config.json").unlink()
    with pytest.raises(UsageError, match="in use"):
        Run.create(config)
    first.close()


def test_letting_go_twice_does_no_harm(config):
    run = Run.create(config)
    run.close()
    run.close()


def test_an_earlier_run_is_not_overwritten(config):
    Run.create(config).close()
    before = (config.run_dir / "config.json").read_bytes()
    with pytest.raises(UsageError, match="already holds a run; continue it with --resume"):
        Run.create(change(config, seed=1))
    assert (config.run_dir / "config.json").read_bytes() == before


def test_a_folder_with_other_files_is_left_alone(config):
    config.run_dir.mkdir()
    (config.run_dir / "thesis.tex").write_text("years")
    with pytest.raises(UsageError, match="already holds other files"):
        Run.create(config)
    assert names(config.run_dir) == ["thesis.tex"]


def test_an_empty_folder_and_what_an_early_end_left_are_fine(config):
    config.run_dir.mkdir()
    Run.create(config).close()
    (config.run_dir / "config.json").unlink()
    assert names(config.run_dir) == [".lock"]
    Run.create(config).close()


def test_a_place_that_can_not_be_a_folder_is_named(config, tmp_path):
    (tmp_path / "file").write_text("")
    for broken in (change(config, name="file"), change(config, out_dir=str(tmp_path / "file"))):
        with pytest.raises(UsageError, match="choose another --out_dir"):
            Run.create(broken)


def test_a_name_too_long_for_a_folder_is_a_mistake_of_the_caller(config):
    with pytest.raises(UsageError):
        Run.create(change(config, name="x" * 300))


def test_what_was_not_started_can_not_be_resumed(config):
    with pytest.raises(UsageError, match="no run in .* to resume; leave out --resume"):
        Run.resume(config)
    assert not config.run_dir.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"seed": 0'])
def test_a_broken_configuration_is_named(config, content):
    config.run_dir.mkdir()
    (config.run_dir / "config.json").write_text(content)
    with pytest.raises(UsageError, match="config.json"):
        Run.resume(config)


def test_resuming_with_another_configuration_lists_the_differences(config):
    Run.create(config).close()
    other = change(config, seed=1, z_dim=7)
    with Run.resume(other) as run:
        with pytest.raises(
            UsageError, match="seed was 0, is 1; .*z_dim|z_dim was 100, is 7; seed was 0, is 1"
        ):
            run.go_on(other)
    longer = change(config, steps=5000)
    with Run.resume(longer) as run:
        run.go_on(longer)
        assert json.loads((run.path / "config.json").read_text())["steps"] == 5000


FREE = {
    "out_dir": "elsewhere",
    "name": "other",
    "devices": "cpu",
    "data_dir": "/data",
    "image_steps": 7,
    "checkpoint_steps": 7,
    "keep_checkpoints": 7,
    "steps": 7,
}
OTHER = {bool: True, int: 7, float: 0.5, str: "other", type(None): 7, list: ["w1"]}


@pytest.mark.parametrize("name", list(Config().as_dict()))
def test_what_moves_a_weight_or_a_row_may_not_change(name):
    before = Config(threads=2)
    old = before.as_dict()[name]
    value = "7" if name == "n_critic" else FREE.get(name, OTHER[type(old)])
    now = change(before, **{name: value})
    expected = [] if name in FREE else [f"{name} was {old!r}, is {value!r}"]
    assert differences(before.as_dict(), now) == expected


def test_a_run_from_before_schedules_goes_on():
    assert differences({**Config().as_dict(), "n_critic": 5}, Config()) == []


def test_a_run_from_before_a_setting_existed_has_its_default():
    before = {name: value for name, value in Config().as_dict().items() if name != "eval_steps"}
    assert differences(before, Config()) == []
    assert differences(before, Config(eval_steps=7)) == ["eval_steps was 250, is 7"]


@pytest.mark.parametrize(
    "schedule, free", [("constant", True), ("linear", False), ("cosine", False)]
)
@pytest.mark.parametrize("flag", ["g_opt", "d_opt"])
def test_the_number_of_steps_may_change_only_without_a_schedule(flag, schedule, free):
    before = Config(**{flag: f"adam-schedule={schedule}"})
    now = change(before, steps=9)
    assert differences(before.as_dict(), now) == ([] if free else ["steps was 3000, is 9"])


def test_a_setting_that_is_gone_counts_as_a_difference():
    before = Config().as_dict()
    assert differences({**before, "lambda": 3}, Config()) == ["lambda was 3, is None"]


def test_rows_are_lines_of_json(config):
    with Run.create(config) as run:
        for step in (1, 2):
            run.append_row({"step": step, "loss": 0.5})
        lines = (run.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": 0.5},
    ]


WHOLE = '{"step": 2}\n{"step": 4}\n{"step": 6}\n'


@pytest.mark.parametrize(
    "content, step, kept",
    [
        (WHOLE, 6, [2, 4, 6]),
        (WHOLE, 5, [2, 4]),
        (WHOLE, 2, [2]),
        (WHOLE, -1, []),
        (WHOLE + '{"step": 8, "lo', 100, [2, 4, 6]),
        (WHOLE[:-1], 100, [2, 4, 6]),
        (WHOLE + "\0\0\0", 100, [2, 4, 6]),
        ("", 100, []),
    ],
)
def test_rows_after_the_checkpoint_and_a_cut_line_are_forgotten(config, content, step, kept):
    with Run.create(config) as run:
        path = run.path / "metrics.jsonl"
        path.write_text(content)
        run.drop_rows_after(step)
        run.append_row({"step": 99})
        assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [*kept, 99]


def test_no_rows_are_nothing_to_forget(config):
    with Run.create(config) as run:
        run.drop_rows_after(3)
        assert not (run.path / "metrics.jsonl").exists()
