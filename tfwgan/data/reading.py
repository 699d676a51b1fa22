"""This module reads many image files into one array.

Several are read at once, within a bound on memory, and all bad ones are told together.
"""

import contextlib
import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tfwgan.data import decode, images
from tfwgan.data.progress import Waiting
from tfwgan.errors import UsageError

PIXELS_IN_FLIGHT = 64 << 20  # whatever the number of threads; a larger picture has its turn alone
_NAMED = 3  # bad files that a message names


def read(paths: Sequence[Path], view: images.View, root: Path) -> np.ndarray:
    """Reads all pictures into one array, uint8 `[n, h, w, c]`.

    It has one channel if every file is gray or the view is gray, else three.

    Args:
        paths: At least one file.
        view: What is done to every image.
        root: The folder that they are from, for messages.

    Raises:
        UsageError: If some can't be read, or they differ in size and are not resized.
    """
    # Pillow warns about odd notes in files, and about sizes that are refused here anyway. Filters
    # of warnings are the whole process's, so they are changed here once and not by each thread.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as threads:
        warnings.simplefilter("ignore")
        headers = list(_sound(threads.map(_look, paths), "looking at images", paths, root))
        gray, room = all(header.gray for header in headers), Room(PIXELS_IN_FLIGHT)

        def picture(path: Path, header: decode.Header) -> np.ndarray | decode.Unreadable:
            with room.taken(header.pixels):
                try:
                    return view.prepare(decode.decode(path, gray), str(path))
                except decode.Unreadable as fault:
                    return fault

        items = np.empty(0, np.uint8)
        for index, image in enumerate(
            _sound(threads.map(picture, paths, headers), "loading images", paths, root)
        ):
            if index == 0:
                items = images.allocate(len(paths), image.shape)
            if image.shape != items.shape[1:]:
                raise images.unequal(items.shape[1:], str(paths[0]), image.shape, str(paths[index]))
            items[index] = image
    return items


class Room:
    """Holds back who would take more than there is, in the order of asking.

    The first of all is always let in.
    """

    def __init__(self, limit: int) -> None:
        self._left, self._limit = limit, limit
        self._queue, self._change = threading.Lock(), threading.Condition()

    @contextlib.contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Waits for room, and takes so much of it for as long as the block lasts."""
        # One at a time waits: small ones that kept passing would let a large one wait for ever.
        with self._queue, self._change:
            self._change.wait_for(lambda: self._left >= amount or self._left == self._limit)
            self._left -= amount
        try:
            yield
        finally:
            with self._change:
                self._left += amount
                self._change.notify_all()


def _look(path: Path) -> decode.Header | decode.Unreadable:
    try:
        return decode.look(path)
    except decode.Unreadable as fault:
        return fault


def _sound(results: Iterable[Any], task: str, paths: Sequence[Path], root: Path) -> Iterator[Any]:
    """Yields the results up to the first fault.

    Then it goes on to the end, and raises an error with all faults there are.
    """
    faults: list[decode.Unreadable] = []
    with contextlib.closing(Waiting(task, len(paths))) as waiting:
        for result in results:
            waiting.add()
            if isinstance(result, decode.Unreadable):
                faults.append(result)
            elif not faults:
                yield result
    if faults:
        raise _refusal(faults, len(paths), root)


def _refusal(faults: Sequence[decode.Unreadable], total: int, root: Path) -> UsageError:
    """The error to raise for one bad file or for many."""
    if len(faults) == 1:
        return UsageError(str(faults[0]))
    named = ", ".join(f"{fault.path.relative_to(root)} {fault.reason}" for fault in faults[:_NAMED])
    more = f", and {len(faults) - _NAMED:,} more" if len(faults) > _NAMED else ""
    return UsageError(
        f"{len(faults):,} files of {total:,} under {root} are bad: {named}{more}; repair or remove "
        "them."
    )
