"""A folder of image files as a data set; subfolders are classes."""

import collections
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfwgan.data import images
from tfwgan.data.dataset import Dataset
from tfwgan.data.decode import SUFFIXES
from tfwgan.data.reading import read
from tfwgan.errors import UsageError

# What operating systems and network drives put beside pictures, as hidden files are: neither
# pictures nor classes.
_JUNK_FOLDERS = (
    "@eadir",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "system volume information",
    "__macosx",
)
_JUNK_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")

Parts = tuple[str, ...]  # of the path of a file below the folder


def folder(
    path: str,
    *,
    view: images.View = images.AS_IS,
    limit_data: int | None = None,
) -> Dataset:
    """Loads all images in a folder.

    They are decoded now, so that a bad file stops the program before any training.

    Images lie directly in the folder, or at any depth below it; hidden and other files are skipped,
    the others counted in the remarks. They are sorted by relative path. If all lie in subfolders,
    the subfolders of the first level are the classes, numbered by sorted name; if any image lies
    directly in the folder, there are no labels. The result has one channel if every file is gray or
    the view is gray, else three.

    Args:
        path: The folder; ``~`` is understood.
        view: What is done to every image.
        limit_data: Keep so many files, in sorted order: the first ones, or with classes the first
            of each class in turn. The numbering of the classes stays that of the whole folder.

    Raises:
        UsageError: If there are no images, some can't be decoded, or they differ in size and are
            not resized.
    """
    if not path:
        raise UsageError("folder needs a path; write folder=<path>.")
    root = _existing(path)
    files, skipped = _walk(root)
    if not files:
        raise UsageError(
            f"there are no images under {root} (other files: {skipped.total()}); "
            f"expected {', '.join(SUFFIXES)} in it or in folders below."
        )
    remarks = _remarks(files, skipped)
    labels, class_names = None, None
    if all(len(parts) > 1 for parts in files):
        class_names = tuple(sorted({parts[0] for parts in files}))
        number = {name: label for label, name in enumerate(class_names)}
        labels = np.array([number[parts[0]] for parts in files], np.int32)
    if limit_data is not None:
        kept = (
            _in_turn(labels, limit_data)
            if labels is not None
            else np.arange(len(files))[:limit_data]
        )
        files, labels = [files[i] for i in kept], None if labels is None else labels[kept]
    items = read([root.joinpath(*parts) for parts in files], view, root)
    names = None if class_names is None else tuple(map(_shown, class_names))
    return Dataset(_shown(root.resolve().name), items, labels, names, remarks)


def _existing(path: str) -> Path:
    """The folder that a user means."""
    try:
        root = Path(path).expanduser()
        if root.is_dir():
            return root
        if root.exists():
            raise UsageError(f"{root} is a file; name the folder that holds the images.")
    except RuntimeError as error:
        raise UsageError(
            f"{path} names the home of a user who is not known here; write the whole path."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path!r} can't be opened ({reason}); check the path.") from error
    raise UsageError(f"there is no folder {root}; check the path.")


def _walk(root: Path) -> tuple[list[Parts], collections.Counter[str]]:
    """Returns the paths of all images relative to `root`, sorted.

    It also counts how many other files have each ending.
    """
    found: list[Parts] = []
    skipped: collections.Counter[str] = collections.Counter()
    seen: set[str] = set()
    try:
        for here, folders, names in os.walk(root, onerror=_reraise, followlinks=True):
            real = os.path.realpath(here)
            if real in seen:  # A link back up would never end.
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not _is_junk(name, _JUNK_FOLDERS))
            for name in names:
                if _is_junk(name, _JUNK_FILES):
                    continue
                if name.lower().endswith(SUFFIXES):
                    found.append((Path(here) / name).relative_to(root).parts)
                else:
                    skipped[os.path.splitext(name)[1].lower() or "no ending"] += 1
    except OSError as error:
        raise UsageError(
            f"{error.filename} can't be listed ({error.strerror}); change its permissions."
        ) from error
    return sorted(found), skipped


def _reraise(error: OSError) -> None:
    raise error


def _is_junk(name: str, known: Sequence[str]) -> bool:
    return name.startswith(".") or name.lower() in known


def _remarks(files: Sequence[Parts], skipped: collections.Counter[str]) -> tuple[str, ...]:
    """Returns remarks on what the user may not have meant.

    That may be files that are left out, and pictures that cost the labels.
    """
    remarks = []
    if skipped:
        most = sorted(skipped.items(), key=lambda one: (-one[1], one[0]))[:5]
        kinds = [f"{_shown(ending)} {count:,}" for ending, count in most]
        kinds += ["..."] * (len(skipped) > 5)
        plural = "s" * (skipped.total() > 1)
        remarks.append(f"{skipped.total():,} other file{plural} skipped ({', '.join(kinds)})")
    beside = [parts[0] for parts in files if len(parts) == 1]
    if beside and len(beside) < len(files):
        more = f" and {len(beside) - 1:,} more lie" if len(beside) > 1 else " lies"
        remarks.append(f"no labels: {_shown(beside[0])}{more} beside the class folders")
    return tuple(remarks)


def _in_turn(labels: np.ndarray, limit: int) -> np.ndarray:
    """Places of the first item of each class, then of the second, ..., `limit` of them; sorted."""
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        here = labels == label
        rank[here] = np.arange(here.sum())
    return np.sort(np.lexsort((labels, rank))[:limit])


def _shown(name: str) -> str:
    """Returns a file name in a form that can be printed and stored anywhere.

    This is needed because Linux allows bytes that are no text.
    """
    return os.fsencode(name).decode("utf-8", "replace")
