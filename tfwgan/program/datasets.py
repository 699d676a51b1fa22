"""Data sets by their specs: ``ring8-n=64``, ``tfds=mnist``, ``folder=~/photos``."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NoReturn

from tfwgan.data import DATASETS
from tfwgan.data.catalogue import outline as tfds_outline
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.data.images import AS_IS, View
from tfwgan.data.stacked import outline as stacked_outline
from tfwgan.errors import UsageError
from tfwgan.program import spec
from tfwgan.program.hints import unknown_data


def load(
    text: str,
    *,
    data_dir: str | None = None,
    image_size: int | None = None,
    center_crop: int | None = None,
    gray_scale: bool = False,
    limit_data: int | None = None,
) -> Dataset:
    """The data set that a spec names.

    Specs are ``fashion_mini``, ``squares=32-square=5``, ``tfds=mnist`` or ``folder=/data/cats``,
    for example.

    Args:
        text: A spec over `DATASETS`.
        data_dir: Where TFDS keeps its prepared sets; None is TFDS's own choice.
        image_size: Rows and columns to resize images to; None keeps their size.
        center_crop: Rows and columns of the centred square to cut out first; None keeps all.
        gray_scale: Whether to keep the luminance only.
        limit_data: Keep so many items, at least 1: the first ones, of a folder with classes the
            first of each class in turn; None, or more than there are, keeps all.

    Raises:
        UsageError: If the spec or a number is wrong, the data can't be had, or points get options
            of images.
    """
    view = View(image_size, center_crop, gray_scale)
    dataset: Dataset = _build(DATASETS, text, data_dir, view, limit_data)
    if limit_data is None or limit_data >= len(dataset):
        return dataset
    labels = None if dataset.labels is None else dataset.labels[:limit_data]
    return dataclasses.replace(dataset, items=dataset.items[:limit_data], labels=labels)


def outline(
    text: str,
    *,
    data_dir: str | None = None,
    image_size: int | None = None,
    center_crop: int | None = None,
    gray_scale: bool = False,
    limit_data: int | None = None,
) -> Outline:
    """The outline of what `load` loads with the same arguments.

    It downloads nothing, and of a TFDS set it reads nothing.

    Raises:
        UsageError: As `load`, as far as that can be told.
    """
    view = View(image_size, center_crop, gray_scale)
    table = {**DATASETS, "tfds": tfds_outline, "stacked_mnist": stacked_outline}
    known: Dataset | Outline = _build(table, text, data_dir, view, limit_data)
    size = known.size
    if size is not None and limit_data is not None:
        size = min(size, limit_data)
    return dataclasses.replace(Outline.of(known), size=size)


def _build(
    table: Mapping[str, Any],
    text: str,
    data_dir: str | None,
    view: View,
    limit_data: int | None,
) -> Any:
    """What a table makes of a spec and a view, once both are checked."""
    numbers = {
        "image_size": view.image_size,
        "center_crop": view.center_crop,
        "limit_data": limit_data,
    }
    for name, value in numbers.items():
        if value is not None and value < 1:
            raise UsageError(f"--{name} must be at least 1, got {value}.")
    name = spec.parse(text, "data set").name
    if name not in (*table, "given"):
        raise unknown_data(text, name, DATASETS)
    dataset = spec.build(
        text,
        {**table, "given": given},
        "data set",
        data_dir=data_dir,
        view=view,
        limit_data=limit_data,
    )
    if not dataset.is_image and view != AS_IS:
        raise UsageError(
            f"--image_size, --center_crop and --gray_scale are for images; {dataset.name} is a set "
            "of points, so leave them out."
        )
    return dataset


def given(name: str, *, view: View = AS_IS) -> NoReturn:
    """Stands in for data that a program handed over as a `Dataset`.

    It is what the configuration of such a run names.

    Args:
        name: Of the data.
        view: Of no use.

    Raises:
        UsageError: Always: they can't be found by name.
    """
    del view
    raise UsageError(
        f"the data {name!r} were given by a program: only there the run goes on, by "
        "tfwgan.fit(tfwgan.build(config, dataset), resume=True)."
    )
