"""The run folder: config.json, metrics.jsonl, images/, tensorboard/, checkpoints/, export/, and a lock."""

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfwgan.config import Config, read_config
from tfwgan.files import write_atomically
from tfwgan.spec import UsageError, parse

# What may change between the parts of one run: it moves no weight and no row of metrics.jsonl.
_FREE = {"out_dir", "name", "devices", "data_dir", "image_steps", "checkpoint_steps", "keep_checkpoints", "steps"}


class Run:
    """A run folder held by this process; `create` and `resume` make one, `close` lets it go."""

    def __init__(self, path: Path, lock: int):
        self.path, self._lock = path, lock

    @classmethod
    def create(cls, config: Config) -> "Run":
        """Makes the folder of a new run.

        Raises:
            UsageError: If it already holds a run or other files, or can't be written.
        """
        path = config.run_dir
        if _holds_run(path):
            raise UsageError(
                f"{path} already holds a run; add --resume to continue it, or --name=... to start another."
            )
        if path.is_dir() and any(entry.name != ".lock" for entry in path.iterdir()):
            raise UsageError(f"{path} already holds other files; choose another --name or --out_dir.")
        run = cls(path, _lock(path, make=True))
        write_atomically(path / "config.json", config.to_json().encode())
        return run

    @classmethod
    def resume(cls, config: Config) -> "Run":
        """Takes up the folder of an earlier run with the same configuration.

        Raises:
            UsageError: If there is none, or its configuration differs in something that changes the result.
        """
        path = config.run_dir
        if not _holds_run(path):
            raise UsageError(f"There is no run in {path} to resume; leave out --resume to start it.")
        changed = differences(read_config(path / "config.json"), config)
        if changed:
            raise UsageError(f"Can't resume {path} with a changed configuration: {'; '.join(changed)}.")
        run = cls(path, _lock(path, make=False))
        write_atomically(path / "config.json", config.to_json().encode())
        return run

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
        """Adds one JSON object as a line of metrics.jsonl."""
        with open(self.path / "metrics.jsonl", "a") as file:
            file.write(json.dumps(row) + "\n")

    def drop_rows_after(self, step: int) -> None:
        """Forgets the rows that a resumed run will write again, and a last line that was cut short."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        kept = []
        for line in path.read_text().splitlines():
            with contextlib.suppress(ValueError):
                if json.loads(line)["step"] <= step:
                    kept.append(line + "\n")
        write_atomically(path, "".join(kept).encode())


def differences(before: Mapping[str, Any], config: Config) -> list[str]:
    """What differs between a stored configuration and this one, as "name was a, is b", where it changes the result."""
    now = config.as_dict()
    free = _FREE if can_grow(config) else _FREE - {"steps"}
    names = [name for name in {**now, **before} if name not in free]
    # A run of an earlier version lacks what was added since, and may have written a value as another type.
    known = {name: value for name, value in before.items() if name in now}
    before = {**before, **Config(**known).as_dict()}
    return [f"{n} was {before.get(n)!r}, is {now.get(n)!r}" for n in names if before.get(n) != now.get(n)]


def can_grow(config: Config) -> bool:
    """Whether a run may be resumed with more steps: not if a learning rate falls over all of them."""
    specs = (config.g_opt, config.d_opt)
    return all(parse(spec).options.get("schedule", "constant") == "constant" for spec in specs)


def _holds_run(path: Path) -> bool:
    try:
        return (path / "config.json").exists()
    except OSError as error:
        raise UsageError(f"{path} can't be a run folder: {error.strerror}; choose another --out_dir.") from None


def _lock(path: Path, make: bool) -> int:
    """Holds the folder until this process ends, however it ends."""
    try:
        if make:
            path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(f"Can't write to {path}: {error.strerror}; choose another --out_dir.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise UsageError(f"{path} is in use by another process; wait for it, or choose another --name.") from None
    return lock
