"""A sample of real images comes with the package: every example runs without a download."""

import importlib.resources

import numpy as np

from tfwgan.data import images
from tfwgan.data.dataset import Dataset


def fashion_mini(*, view: images.View = images.AS_IS, limit_data: int | None = None) -> Dataset:
    """The first 10,000 training images of Fashion-MNIST (Xiao et al., 2017), in the original order.

    Args:
        view: What is done to every image.
        limit_data: Keep the first so many.

    Returns:
        uint8 images `[10000, 28, 28, 1]` unless resized, with 10 classes.
    """
    path = importlib.resources.files("tfwgan.data") / "bundled" / "fashion_mini.npz"
    with path.open("rb") as file, np.load(file) as arrays:
        items, labels, class_names = (
            arrays["images"][:limit_data],
            arrays["labels"][:limit_data],
            arrays["class_names"],
        )
    items = view.prepare_all(items, "an image of fashion_mini")
    return Dataset(
        "fashion_mini", items, labels.astype(np.int32), tuple(str(name) for name in class_names)
    )
