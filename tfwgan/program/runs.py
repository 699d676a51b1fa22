"""The run folder: its files, and a lock.

The files are config.json, metrics.jsonl, images/, tensorboard/, checkpoints/ and export/.
"""

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tfwgan.errors import UsageError
from tfwgan.files import clear_leftovers, write_atomically
from tfwgan.program.config import Config, known_settings, read_config
from tfwgan.program.spec import parse

# What may change between the parts of one run: it moves no weight and no row of metrics.jsonl.
_FREE = {
    "out_dir",
    "name",
    "devices",
    "data_dir",
    "image_steps",
    "checkpoint_steps",
    "keep_checkpoints",
    "steps",
}
# What says where the data are and how they are read: free where the data themselves are known to be
# the same.
_OF_DATA = {"data", "image_size", "center_crop", "gray_scale", "limit_data"}


class Run:
    """A run folder held by this process; `create` and `resume` make one, `close` lets it go."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path, self._lock = path, lock
        self._last: tuple[int, dict[str, Any]] | None = (
            None  # where the last row begins, and what it says
        )

    @staticmethod
    def check(config: Config, resume: bool = False) -> None:
        """Raises `UsageError` if `resume` or `create` could not work, before anything is built."""
        path = config.run_dir
        if resume and not _holds_run(path):
            raise UsageError(
                f"There is no run in {path} to resume; leave out --resume to start it."
            )
        if not resume and _holds_run(path):
            raise UsageError(
                f"{path} already holds a run; continue it with --resume (in Python: resume=True), "
                "start another beside it with --fresh (fresh=True), or choose another --name."
            )
        if (
            not resume
            and path.is_dir()
            and not _holds_run(path)
            and any(e.name != ".lock" for e in path.iterdir())
        ):
            raise UsageError(
                f"{path} already holds other files; choose another --name or --out_dir."
            )

    @classmethod
    def create(cls, config: Config, fresh: bool = False, **facts: Any) -> "Run":
        """Makes the folder of a new run.

        Args:
            config: Of the run.
            fresh: Where the folder holds a run already, take ``<name>-2``, or the next number that
                is free.
            **facts: What config.json says beside the settings, see `tfwgan.program.config.FACTS`.

        Raises:
            UsageError: If it already holds a run or other files, or can't be written.
        """
        config = renamed(config) if fresh else config
        cls.check(config)
        run = cls(config.run_dir, _lock(config.run_dir, make=True))
        run._write(config, facts)
        return run

    @classmethod
    def resume(cls, config: Config) -> "Run":
        """Takes up the folder of an earlier run.

        `go_on` then says whether the configuration is the same.

        Raises:
            UsageError: If there is none, or its config.json can't be read.
        """
        cls.check(config, resume=True)
        read_config(config.run_dir / "config.json")
        return cls(config.run_dir, _lock(config.run_dir, make=False))

    def go_on(
        self,
        config: Config,
        before: Mapping[str, Any] | None = None,
        same_data: bool = False,
        **facts: Any,
    ) -> None:
        """Takes a configuration to go on with, and clears away what is half written.

        A run that ended in the middle of writing may have left such files.

        Args:
            config: The configuration now.
            before: That of the checkpoint; without one, what config.json says.
            same_data: Whether the data are known to be the same, wherever they lie and whatever
                they are called.
            **facts: As of `create`.

        Raises:
            UsageError: If the two differ in something that changes the result.
        """
        before = read_config(self.path / "config.json") if before is None else before
        changed = differences(before, config, same_data)
        if changed:
            threads = before.get("threads")
            hint = (
                f" --threads={threads} takes those of the run."
                if changed[0].startswith("threads ")
                else ""
            )
            raise UsageError(
                f"Can't resume {self.path} with a changed configuration: "
                f"{'; '.join(changed)}.{hint}"
            )
        for folder in (self.path, self.path / "images", self.path / "checkpoints"):
            clear_leftovers(folder)
        self._write(config, facts)

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Releases the lock."""
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def file(self, *parts: str) -> Path:
        """A path inside the run folder, whose parent exists."""
        path = self.path.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def append_row(self, row: Mapping[str, Any]) -> None:
        """Adds one JSON object as a line of metrics.jsonl.

        What comes of one step goes into one line.
        """
        path = self.path / "metrics.jsonl"
        start = path.stat().st_size if path.exists() else 0
        row = dict(row)
        if self._last is not None and self._last[1]["step"] == row["step"]:
            start, row = self._last[0], {**self._last[1], **row}
        with open(path, "r+b" if path.exists() else "wb") as file:
            file.seek(start)
            file.write(json.dumps(row).encode() + b"\n")
            file.truncate()
        self._last = start, row

    def rows(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl, without lines that are none."""
        return list(rows_of(self.path))

    def drop_rows_after(self, step: int, unfinished: Iterable[str] = ()) -> None:
        """Forgets the rows that a resumed run will write again, and lines that are none.

        Args:
            step: The last step to keep.
            unfinished: What to forget of the row of that step too: it was written since the run
                ended there, and goes on to a later one.
        """
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        kept, unfinished = [], set(unfinished)
        for row in rows_of(self.path):
            if row["step"] == step and unfinished:
                row = {name: value for name, value in row.items() if name not in unfinished}
            if row["step"] <= step and (len(row) > 1 or not unfinished):
                kept.append(json.dumps(row) + "\n")
        write_atomically(path, "".join(kept).encode())
        self._last = None

    def _write(self, config: Config, facts: Mapping[str, Any]) -> None:
        write_atomically(self.path / "config.json", config.to_json(**facts).encode())


def rows_of(run_dir: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of a run's metrics.jsonl, one for each step that was logged.

    Lines that are no rows are passed over.
    """
    path = Path(run_dir) / "metrics.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError, RecursionError):
            row = json.loads(line)
            if isinstance(row, dict) and type(row.get("step")) is int:
                yield row


def differences(before: Mapping[str, Any], config: Config, same_data: bool = False) -> list[str]:
    """Lists what differs between a stored configuration and this one.

    An entry reads "name was a, is b", and only what changes the result has one.
    """
    now = config.as_dict()
    free = (_FREE if can_grow(config) else _FREE - {"steps"}) | (_OF_DATA if same_data else set())
    # A run of an earlier version lacks what was added since, and may have written a value as
    # another type.
    before = {**before, **Config(**known_settings(before)).as_dict()}
    if None in (before["threads"], now["threads"]):  # not known
        free = free | {"threads"}
    names = [name for name in {**now, **before} if name not in free]
    return [
        f"{n} was {before.get(n)!r}, is {now.get(n)!r}"
        for n in names
        if before.get(n) != now.get(n)
    ]


def can_grow(config: Config) -> bool:
    """Whether a run may be resumed with more steps.

    It may not if a learning rate falls over all of them.
    """
    specs = (config.g_opt, config.d_opt)
    return all(parse(spec).options.get("schedule", "constant") == "constant" for spec in specs)


def renamed(config: Config) -> Config:
    """The configuration under a name whose folder holds no run.

    The name is its own, or that with the first number that is free.
    """
    if not _holds_run(config.run_dir):
        return config
    number = 2
    while (config.run_dir.parent / f"{config.run_name}-{number}").exists():
        number += 1
    return dataclasses.replace(config, name=f"{config.run_name}-{number}")


def _holds_run(path: Path) -> bool:
    try:
        return (path / "config.json").exists()
    except OSError as error:
        raise UsageError(
            f"{path} can't be a run folder: {error.strerror}; choose another --out_dir."
        ) from None


def _lock(path: Path, make: bool) -> int:
    """Holds the folder until this process ends, however it ends."""
    try:
        if make:
            path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(
            f"Can't write to {path}: {error.strerror}; choose another --out_dir."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some file systems know no locks: there a run is not guarded against a second process.
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
            os.close(lock)
            raise UsageError(
                f"{path} is in use by another process; wait for it, or choose another --name."
            ) from None
    return lock
