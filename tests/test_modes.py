"""Laws of mode coverage."""

import numpy as np
import pytest

from tfwgan.data.synthetic import SIGMA, grid25, grid25_centres, ring8, ring8_centres
from tfwgan.errors import UsageError
from tfwgan.metrics import METRICS
from tfwgan.metrics.modes import class_coverage, coverage
from tfwgan.program import spec

MIXTURES = {"ring8": (ring8, ring8_centres()), "grid25": (grid25, grid25_centres())}


@pytest.mark.parametrize("name", MIXTURES)
def test_the_data_covers_its_own_modes(name):
    data, centres = MIXTURES[name]
    metric = spec.build(f"modes={name}", METRICS, "metric")
    values = metric.measure(data().real(slice(None)), None)
    assert values[""] == len(centres) and values["_kl"] < 1e-3
    # A point of the plane lies within three standard deviations with probability 1 - exp(-9/2).
    assert values["_quality"] == pytest.approx(1 - np.exp(-4.5), abs=5e-3)
    assert metric.reference(data().real(slice(None)), 10) == {"_quality_real": values["_quality"]}


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_points_on_k_of_the_centres_cover_k_modes(k):
    points = np.repeat(ring8_centres()[:k], 100, axis=0)
    values = coverage(points, ring8_centres(), SIGMA)
    assert values[""] == k and values["_quality"] == 1
    assert values["_kl"] == pytest.approx(np.log(8 / k), abs=1e-12)


def test_a_mode_needs_twenty_of_2500_samples():
    centres = ring8_centres()
    for n, covered in ((20, 2), (19, 1)):
        points = np.concatenate(
            [np.repeat(centres[:1], 2500 - n, axis=0), np.repeat(centres[3:4], n, axis=0)]
        )
        assert coverage(points, centres, SIGMA)[""] == covered


@pytest.mark.parametrize("radius, quality", [(2.99, 1), (3.01, 0)])
def test_quality_ends_at_three_standard_deviations(radius, quality):
    points = ring8_centres() + np.float32([0, radius * SIGMA])
    values = coverage(points, ring8_centres(), SIGMA)
    assert values["_quality"] == quality and values["_kl"] == pytest.approx(
        0 if quality else np.log(8), abs=1e-12
    )


@pytest.mark.parametrize("found", [1, 3, 8])
def test_classes_are_covered_as_modes_are(found):
    """On the ring, whose classes are its modes, the two measures agree."""
    data, centres = MIXTURES["ring8"]
    real, labels = data().real(slice(None)), data().labels
    samples = data(n=4000, seed=1).real(slice(None))[data(n=4000, seed=1).labels < found]
    by_class, by_mode = class_coverage(samples, real, labels), coverage(samples, centres, SIGMA)
    assert by_class[""] == by_mode[""] == found
    assert by_class["_kl"] == pytest.approx(by_mode["_kl"], abs=2e-3)
    assert by_class["_quality"] == pytest.approx(by_mode["_quality"], abs=0.015)


def test_what_is_far_from_all_data_is_of_no_class():
    real, labels = MIXTURES["ring8"][0]().real(slice(None)), MIXTURES["ring8"][0]().labels
    values = class_coverage(np.zeros([100, 2], np.float32), real, labels)
    assert values == {"": 0, "_quality": 0, "_kl": pytest.approx(np.log(8))}


def test_only_points_of_the_plane_have_modes():
    with pytest.raises(UsageError, match="points of the plane"):
        METRICS["modes"]().check((8, 8, 1))
    with pytest.raises(UsageError, match="grid25"):
        spec.build("modes=grid", METRICS, "metric")
