"""Features and their provenance: extractors, files, what may be compared, metrics of features."""

import functools
import json

import keras
import numpy as np
import pytest

from tfwgan.data import Dataset
from tfwgan.errors import UsageError
from tfwgan.metrics import FEATURE_METRICS, METRICS, FeatureSet
from tfwgan.metrics.extractors import EXTRACTORS, default_features
from tfwgan.metrics.feature_cache import features_of
from tfwgan.metrics.feature_metric import FeatureMetric, as_items
from tfwgan.metrics.features import Extractor, pixels, projections
from tfwgan.metrics.keras_models import applications, model
from tfwgan.metrics.scores import intra_fid, label, shown
from tfwgan.program import spec
from tfwgan.screen import Screen


def images(n=30, shape=(8, 8, 1), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype(np.uint8)


def network(path, shape=(8, 8, 1)):
    image = keras.Input(shape)
    hidden = keras.layers.Conv2D(4, 3, activation="tanh", name="hidden")(image)
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(hidden))
    made = keras.Model(image, logits)
    made.save(path)
    return made


MAKERS = {**EXTRACTORS, "few": functools.partial(projections, 3, 5)}
OF_FILES = {"inception", "model", "applications", "efficientnet_lite0"}


@pytest.mark.parametrize("make", sorted(MAKERS.keys() - OF_FILES))
def test_the_size_of_batches_changes_nothing(make):
    extractor, items = MAKERS[make](), images(30, (8, 8, 3))
    features, logits = extractor(items)
    assert features.dtype == np.float32 and len(features) == 30
    assert (logits is None) == (extractor.n_classes is None)
    for batch_size in (1, 7, 64):
        again = extractor(items, batch_size)[0]
        np.testing.assert_allclose(again, features, rtol=1e-4, atol=1e-5)
    assert MAKERS[make]().digest == extractor.digest


def test_projections_keep_distances_and_differ_by_their_seed():
    items = images(20, (16, 16, 3))
    (flat, _), (projected, _) = pixels()(items), projections(2000)(items)
    far = [
        np.linalg.norm(z[:, None] - z, axis=-1)[np.triu_indices(20, 1)] for z in (flat, projected)
    ]
    np.testing.assert_allclose(far[1], far[0], rtol=0.1)
    assert len({projections().digest, projections(seed=1).digest, projections(128).digest}) == 3
    assert projections().name != projections(128).name


def test_features_that_are_no_numbers_are_refused():
    broken = Extractor(
        "broken", "0", "none", lambda items: (np.full((len(items), 2), np.nan), None)
    )
    with pytest.raises(UsageError, match="broken gives features that are NaN"):
        broken(images())
    with pytest.raises(UsageError, match="There is no item"):
        pixels()(images(0))


# Of Keras, which writes arrays to HDF5 in the way before NumPy 2.
of_keras = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@of_keras
@pytest.mark.parametrize("kind", ["model.keras", "model.h5", "saved_model"])
def test_any_keras_model_gives_features(kind, tmp_path):
    path = tmp_path / kind
    if kind == "saved_model":
        made = network(tmp_path / "model.keras")
        made.export(str(path), verbose=False)
    else:
        made = network(path)
    items = images()
    features, logits = model(str(path), scale="unit")(items)
    np.testing.assert_allclose(
        features, made.predict(items / 255.0, verbose=0), rtol=1e-4, atol=1e-5
    )
    assert logits is None and model(str(path), scale="unit").digest != model(str(path)).digest
    if kind != "saved_model":
        features, logits = model(str(path), layer="hidden")(items)
        assert features.shape == (30, 4) and logits.shape == (30, 3)
        assert model(str(path), layer="hidden").n_classes == 3
        flat = np.broadcast_to(items[:, :1, :1], items.shape)  # of one gray: any size is the same
        larger = np.broadcast_to(items[:, :1, :1], (len(items), 19, 19, 1))
        np.testing.assert_allclose(
            model(str(path))(larger)[0], model(str(path))(flat)[0], rtol=1e-4, atol=1e-4
        )


@of_keras
def test_networks_of_keras_take_weights_from_a_file(tmp_path):
    made = keras.applications.MobileNet(weights=None, alpha=1.0)
    made.save_weights(tmp_path / "w.weights.h5")
    extractor = applications("MobileNet", str(tmp_path / "w.weights.h5"))
    features, logits = extractor(images(2, (32, 32, 3)))
    assert features.shape[0] == 2 and logits.shape == (2, 1000) and extractor.n_classes == 1000
    assert extractor.name == "keras_mobilenet"


@of_keras
@pytest.mark.parametrize(
    "make, said",
    [
        (lambda path: model(str(path / "none.keras")), "There is no model at"),
        (lambda path: model(str(path)), "can't be loaded as a model"),
        (lambda path: model(str(path / "bad.keras")), "can't be loaded as a model"),
        (lambda path: model(str(path / "good.keras"), layer="hiden"), "did you mean 'hidden'"),
        (lambda path: model(str(path / "good.keras"), scale="unlit"), "did you mean 'unit'"),
        (lambda path: applications("ResNet5"), "did you mean 'ResNet50'"),
        (lambda path: applications("ResNet50", str(path / "none.h5")), "no file of weights"),
        (lambda path: applications("MobileNet", str(path / "bad.keras")), "can't be had"),
        (lambda path: projections(0), "`dim` must be at least 1"),
    ],
)
def test_what_gives_no_features_is_told_in_one_line(make, said, tmp_path):
    (tmp_path / "bad.keras").write_bytes(b"no model at all")
    network(tmp_path / "good.keras")
    with pytest.raises(UsageError, match=said) as error:
        make(tmp_path)
    assert "\n" not in str(error.value)


def feature_set(n=40, seed=0, **about):
    made = FeatureSet.of(images(n, seed=seed), projections(6), f"set{seed}", np.arange(n) % 3)
    return FeatureSet(made.values, {**made.about, **about}, made.values[:, :4], made.labels)


def test_a_file_of_features_holds_all_and_no_pickle(tmp_path):
    made = feature_set()
    made.save(tmp_path / "f.npz")
    read = FeatureSet.load(tmp_path / "f.npz")
    for name in ("values", "logits", "labels"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    about = {key: read.about[key] for key in made.about}
    assert (
        about == made.about and 1 <= read.about["effective_rank"] <= 6 < read.about["density"] * 1e9
    )
    with np.load(tmp_path / "f.npz", allow_pickle=False) as file:
        np.testing.assert_allclose(file["mean"], made.values.mean(0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(file["covariance"], np.cov(made.values.T), rtol=1e-5, atol=1e-6)
        assert json.loads(str(file["about"]))["n"] == 40


def test_effective_rank_counts_directions_that_matter():
    values = np.zeros((1000, 9), np.float32)
    values[:, :3] = np.random.default_rng(0).normal(size=(1000, 3))
    made = FeatureSet(values, {**feature_set().about, "n": 1000})
    assert made.geometry()["effective_rank"] == pytest.approx(3, abs=0.05)


def test_effective_rank_of_very_many_features_is_that_of_their_covariance():
    values = np.random.default_rng(0).normal(size=(30, 4200)).astype(np.float32) * np.float32(0.1)
    made = FeatureSet(values, {**feature_set().about, "n": 30})
    spectrum = np.linalg.svd(values - values.mean(0), compute_uv=False) ** 2
    share = spectrum[:-1] / spectrum.sum()
    expected = np.exp(-(share * np.log(share)).sum())
    assert made.geometry()["effective_rank"] == pytest.approx(expected, rel=1e-4)
    alone = FeatureSet(values[:1], {**made.about, "n": 1})
    assert alone.geometry() == {"effective_rank": 1.0, "density": 0.0}
    told = FeatureSet(values, {**made.about, "effective_rank": 7.0, "density": 1.0})
    assert told.geometry()["effective_rank"] == 7 != told.take(np.arange(9)).geometry()


def test_names_of_classes_say_which_belong_together():
    def named(names, labels):
        made = feature_set(len(labels), class_names=names)
        return FeatureSet(made.values, made.about, None, np.array(labels))

    real = named(["ants", "bees"], [0, 1] * 6)
    same = intra_fid(named(["ants", "bees"], [0, 1] * 6), real)
    assert same["_class0"] == pytest.approx(0, abs=1e-9) == same["_class1"]
    for names, labels in ((["bees", "ants"], [1, 0]), (["a", "ants", "bees"], [1, 2])):
        assert intra_fid(named(names, labels * 6), real) == same
    for names in (None, ["0", "1"]):  # numbers for names
        assert intra_fid(named(names, [0, 1] * 6), real) == same
    for names, labels in ((["ants", "bees"], [0] * 12), (["ants", "cats"], [0, 1] * 6)):
        with pytest.raises(UsageError, match="no generated sample of these classes: bees"):
            intra_fid(named(names, labels), real)
    with pytest.raises(UsageError, match="ants, bees"):
        intra_fid(named(["cats", "dogs"], [0, 1] * 6), real)


def test_kept_features_have_the_names_of_the_set_that_is_asked_for(tmp_path):
    items, labels = images(12), np.arange(12) % 2
    sets = [Dataset(n, items, labels, (f"{n}0", f"{n}1")) for n in ("a", "b")]
    made = [features_of(one, projections(4), Screen(), tmp_path) for one in sets]
    assert len(list(tmp_path.iterdir())) == 1
    assert [one.about["class_names"] for one in made] == [["a0", "a1"], ["b0", "b1"]]
    assert made[1].about["data"] == "b"
    np.testing.assert_array_equal(made[0].values, made[1].values)


@pytest.mark.parametrize(
    "damage", ["cut", "other", "empty", "pickle", "short", "nan", "npy", "bare"]
)
def test_damaged_files_of_features_are_refused(damage, tmp_path):
    made, path = feature_set(), tmp_path / "f.npz"
    made.save(path)
    content = path.read_bytes()
    if damage in ("cut", "empty"):
        path.write_bytes(content[: len(content) // 2 if damage == "cut" else 0])
    elif damage == "other":
        np.savez(path, images=images())
    elif damage == "npy":
        with path.open("wb") as stream:
            np.save(stream, made.values)
    elif damage == "bare":
        np.savez(path, features=made.values, about=np.array('{"n": 40}'))
    elif damage == "pickle":
        np.savez(path, features=np.array([{}], object), about=np.array("{}"))
    else:
        values = made.values[:-1] if damage == "short" else np.full_like(made.values, np.nan)
        np.savez(path, features=values, about=np.array(json.dumps(dict(made.about))))
    with pytest.raises(UsageError, match="f.npz") as error:
        FeatureSet.load(path)
    assert "\n" not in str(error.value)


def test_only_what_was_made_alike_is_compared():
    feature_set().check_comparable(feature_set(50, 1))
    other = feature_set(50, 1, extractor="pixels", shape=[9, 9, 1])
    with pytest.raises(UsageError) as error:
        feature_set().check_comparable(other)
    said = str(error.value)
    assert "extractor projections6 and pixels" in said and "shape 8x8x1 and 9x9x1" in said
    assert "preprocessing" not in said


def test_labels_say_how_a_number_was_made():
    assert label("fid", 10000, "fashion_cnn") == "fid10k-fashion_cnn"
    assert label("fid", 1234, "pixels") == "fid1234-pixels"
    assert label("feature_w1", 2000, "pixels") == "feature_w1_2k-pixels"
    assert shown({"": 1.23456, "_error": 0.012}) == "1.235 ± 0.012"
    assert shown({"": 1.5, "_error": 1, "_low": 1, "_high": 2, "_kl": 3}) == "1.5 [1, 2]  kl 3"


def test_the_default_features_fit_the_data():
    assert default_features((28, 28, 1)) == "fashion_cnn" and default_features((2,)) == "pixels"
    assert default_features((64, 64, 3)) in ("efficientnet_lite0", "projections")
    assert {default_features((28, 28, 1)), "pixels", "projections"} <= EXTRACTORS.keys()


@pytest.mark.parametrize("name", sorted(set(FEATURE_METRICS) - {"intra_fid"}))
def test_metrics_of_features_see_what_is_worse(name):
    assert isinstance(METRICS[name], FeatureMetric)
    rng = np.random.default_rng(0)
    centres = np.eye(4, 16, dtype=np.float32)

    def classified(items):
        return items, 20.0 * items[:, :4]

    extractor = Extractor("toy", "1", "none", classified, 4)
    metric = METRICS[name].with_(features=extractor)
    kinds = rng.integers(0, 4, 400)
    real = (centres[kinds] + 0.1 * rng.normal(size=(400, 16))).astype(np.float32)
    good = (centres[kinds] + 0.1 * rng.normal(size=(400, 16))).astype(np.float32)
    bad = (0 * good + centres[0] + 0.1 * rng.normal(size=(400, 16))).astype(np.float32)
    if name == "precision":
        bad = bad + 1  # one good mode is precise
    if name in ("authenticity", "density"):
        bad = (real + 1e-4 if name == "authenticity" else real + 1).astype(np.float32)
    metric.check((16,))
    better, worse = metric.measure(good, real)[""], metric.measure(bad, real)[""]
    assert (better > worse) == metric.larger_is_better and better != worse
    reference = metric.reference(real, 200)
    assert reference["_real"] == pytest.approx(better, rel=0.9, abs=0.5)
    json.dumps(dict(metric.options))


def test_scores_that_need_a_classifier_say_so():
    for name in ("classes", "inception_score"):
        with pytest.raises(UsageError, match="needs features that classify"):
            METRICS[name].with_(features=pixels()).check((2,))


def test_a_spec_sets_the_options_of_a_score_and_not_its_features():
    metric = spec.build("kid-most=50", METRICS, "metric", features=projections(4))
    assert metric.options == {"most": 50, "features": "projections4"}
    with pytest.raises(UsageError, match="no option 'features'|Unknown option|features"):
        spec.build("kid-features=pixels", METRICS, "metric", features=pixels())


def test_samples_are_judged_as_they_would_be_saved():
    samples = np.array([-1.5, -1.0, 0.0, 0.999, 1.0, 2.0], np.float32).reshape(6, 1, 1, 1)
    assert as_items(samples).ravel().tolist() == [0, 0, 128, 255, 255, 255]
    items = images()
    np.testing.assert_array_equal(as_items(items.astype(np.float32) / 127.5 - 1.0), items)
    with pytest.raises(UsageError, match="NaN or infinite"):
        as_items(np.full((1, 2), np.inf))
