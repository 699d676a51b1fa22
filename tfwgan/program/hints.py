"""What an unknown name of data may have meant: a folder here, or a set of the TFDS catalogue."""

from collections.abc import Iterable
from pathlib import Path

from tfwgan.errors import UsageError, suggest

# Sets of the TFDS catalogue that people ask for by name.
_OF_TFDS = (
    "mnist fashion_mnist kmnist emnist binarized_mnist omniglot svhn_cropped cifar10 cifar100 "
    "stl10 celeb_a celeb_a_hq lsun imagenet2012 imagenet_resized downsampled_imagenet "
    "oxford_flowers102 oxford_iiit_pet cats_vs_dogs stanford_dogs food101 caltech101 "
    "caltech_birds2011 cars196 eurosat beans horses_or_humans rock_paper_scissors"
).split()


def unknown_data(text: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a spec of data whose name is none of the known ones."""
    known = list(known)
    meant = _folder(text) or _of_tfds(name)
    hint = f"; did you mean {meant}? Known: {', '.join(known)}." if meant else suggest(name, known)
    return UsageError(f"Unknown data set {name!r}{hint}")


def _folder(text: str) -> str | None:
    try:
        return f"folder={text}" if Path(text).expanduser().is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None  # too long a name, an unknown user, a null character


def _of_tfds(name: str) -> str | None:
    found = {_letters(known): known for known in _OF_TFDS}.get(_letters(name))
    return f"tfds={found}" if found else None


def _letters(name: str) -> str:
    """A name without what people write differently: CIFAR-10, CelebA."""
    return "".join(c for c in name.lower() if c.isalnum())
