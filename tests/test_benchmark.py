"""What the benchmark times is what it says: values are right, and ratios those of its seconds."""

import pytest

from tfwgan.program.benchmark import USAGE
from tfwgan.studies import benchmark


def test_both_forms_of_the_frechet_distance_agree_and_the_ratio_is_theirs():
    found = benchmark._frechet(40)
    assert found["apart"] < 1e-6 and found["value"] > 40 * 0.1**2
    assert found["ratio"] == pytest.approx(
        found["sqrtm_seconds"] / found["seconds"], abs=0.02, rel=0.02
    )


def test_neighbours_and_features_are_timed():
    assert benchmark._neighbours(50, 8)["seconds"] >= 0
    found = benchmark._extraction(64)
    assert found["seconds"] > 0
    assert found["images_per_second"] == pytest.approx(64 / found["seconds"], rel=0.01)


def test_a_row_is_told_with_its_name_and_every_row_is_in_the_usage(monkeypatch):
    monkeypatch.setitem(benchmark.OTHERS, "features10k", lambda: {"seconds": 1.5})
    assert list(benchmark.benchmark(["features10k"])) == [
        {"workload": "features10k", "seconds": 1.5}
    ]
    assert all(f"[{name}]" in USAGE for name in benchmark.WORKLOADS)
