"""A folder of image files as a data set; subfolders are classes."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tfwgan.data import decode, images
from tfwgan.data.dataset import Dataset
from tfwgan.spec import UsageError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


def folder(
    path: str,
    *,
    view: images.View = images.AS_IS,
    limit_data: int | None = None,
) -> Dataset:
    """All images in a folder, decoded now, so that a bad file stops the program before any training.

    Images lie directly in the folder, or at any depth below it; hidden and other files are skipped. They are sorted
    by relative path. If all lie in subfolders, the subfolders of the first level are the classes, numbered by sorted
    name; if any image lies directly in the folder, there are no labels. The result has one channel if every file is
    gray or the view is gray, else three.

    Args:
        path: The folder; ``~`` is understood.
        view: What is done to every image.
        limit_data: Keep the first so many of the sorted files; with classes these may all be of the first ones,
            but the numbering of the classes stays that of the whole folder.

    Raises:
        UsageError: If there are no images, one can't be decoded, or they differ in size and are not resized.
    """
    if not path:
        raise UsageError("folder needs a path; write folder=<path>.")
    root = Path(path).expanduser()
    files = _image_files(root)
    class_names = None
    if all(len(parts) > 1 for parts in files):
        class_names = tuple(sorted({parts[0] for parts in files}))
    files = files[:limit_data]
    labels = None
    if class_names:
        number = {name: label for label, name in enumerate(class_names)}
        labels = np.array([number[parts[0]] for parts in files], np.int32)
    paths = [root.joinpath(*parts) for parts in files]
    return Dataset(root.resolve().name, _load(paths, view), labels, class_names)


def _image_files(root: Path) -> list[tuple[str, ...]]:
    """The parts of the paths of all images, relative to `root`, sorted."""
    if not root.exists():
        raise UsageError(f"there is no folder {root}; check the path.")
    if not root.is_dir():
        raise UsageError(f"{root} is a file; name the folder that holds the images.")
    found, others, seen = [], 0, set()
    try:
        for here, folders, names in os.walk(root, onerror=_reraise, followlinks=True):
            real = os.path.realpath(here)
            if real in seen:  # A link back up would never end.
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in names:
                if name.startswith("."):
                    continue
                if name.lower().endswith(SUFFIXES):
                    found.append((Path(here) / name).relative_to(root).parts)
                else:
                    others += 1
    except OSError as error:
        raise UsageError(f"{error.filename} can't be listed ({error.strerror}); change its permissions.") from error
    if not found:
        raise UsageError(
            f"there are no images under {root} (other files: {others}); "
            f"expected {', '.join(SUFFIXES)} in it or in folders below."
        )
    return sorted(found)


def _reraise(error: OSError) -> None:
    raise error


def _load(paths: list[Path], view: images.View) -> np.ndarray:
    """All pictures, uint8 `[n, h, w, c]`; `paths` has at least one."""
    gray = decode.all_gray(paths)

    def picture(path: Path) -> np.ndarray:
        return view.prepare(decode.decode(path, gray), str(path))

    first = picture(paths[0])
    items = images.allocate(len(paths), first.shape)

    def store(index: int) -> None:
        image = first if index == 0 else picture(paths[index])
        if image.shape != first.shape:
            raise images.unequal(first.shape, str(paths[0]), image.shape, str(paths[index]))
        items[index] = image

    with ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as threads:
        for _ in threads.map(store, range(len(paths))):
            pass
    return items
