"""What the clip of a WGAN does to its critic.

The study measures where the weights lie, how steep the critic is, what it says and what it proves.

Arjovsky et al. (2017) wrote that with a large clip weights take long to reach their limit, and that
with a small one gradients vanish. The multilayer perceptrons are those of GANs-Implementations,
which drew the weights' histograms beside WGAN-GP's.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import spearmanr

from tfwgan.audit.critic import certified_gap
from tfwgan.objectives.adversarial import Adversarial
from tfwgan.plots import bar_chart
from tfwgan.program.experiment import build
from tfwgan.render import tiles
from tfwgan.studies.study import (
    Settings,
    Study,
    Trained,
    report,
    side_by_side,
    spread,
    train_all,
)
from tfwgan.trainer import GanTrainer
from tfwgan.transport.exact import w1

CLIPS = {f"c = {clip:g}": clip for clip in (0.001, 0.003, 0.01, 0.03, 0.1)}
BINS = 20  # of a histogram

Runs = Mapping[str, Sequence[Trained]]  # of each method, one for each seed
Found = Mapping[str, Sequence[Mapping[str, float]]]  # the numbers of these
Means = Mapping[str, Mapping[str, float]]  # of each method's numbers, over the seeds

_PENALISED = "WGAN-GP"
_TOLD = "c = 0.01"  # whose histogram is also told in numbers: the clip of Arjovsky et al.


def methods() -> dict[str, Settings]:
    """The runs by name: a clip each, then the gradient penalty."""
    rmsprop, adam = "rmsprop-lr=3e-4", "adam-lr=3e-4-beta_1=0.5-beta_2=0.9"
    clipped = {
        name: {"loss": f"wgan-clip={c:g}", "g_opt": rmsprop, "d_opt": rmsprop}
        for name, c in CLIPS.items()
    }
    return {**clipped, _PENALISED: {"loss": "wgan_gp=10", "g_opt": adam, "d_opt": adam}}


def common(study: Study) -> Settings:
    """What all runs share."""
    points = study.data.split("-")[0] in ("ring8", "grid25")
    return {
        "gray_scale": not points,
        "gen_arch": "MLP",
        "disc_arch": "MLP",
        "z_dim": 100,
        "batch_size": 256,
        "ema": 0.0,  # so that the critic is measured against the generator that it was trained with
        "steps": 300 if study.fast else 1500,
        "log_steps": 10,
        "image_steps": 10**9,
        "checkpoint_steps": 500,
        "keep_checkpoints": 1,
    }


def run(study: Study) -> str:
    """Trains with every clip and with the penalty, and measures the critics.

    It writes the report and returns it.
    """
    shared, chosen = common(study), methods()
    trained = train_all(
        {
            (method, seed): study.config(
                f"{method.replace(' = ', '_')}_{seed}", seed=seed, **shared, **settings
            )
            for seed, (method, settings) in itertools.product(range(study.seeds), chosen.items())
        },
        progress_steps=100,
    )
    runs = {method: [trained[method, seed] for seed in range(study.seeds)] for method in chosen}
    found = {method: [measure(trained) for trained in several] for method, several in runs.items()}
    rows = [{"method": method, **_row(several)} for method, several in found.items()]
    first = {method: several[0] for method, several in runs.items()}
    untrained = build(study.config("untrained", **shared)).trainer.evaluation_samples()
    pictures = {
        "weights": weight_charts({method: trained.trainer for method, trained in first.items()})
    }
    if untrained.ndim == 4:
        pictures["samples"] = _samples(first)
    return report(
        study.out,
        f"Weight clipping, {study.data}",
        _text(study, runs, found, untrained),
        rows,
        pictures,
        {
            "critic estimate": {
                method: trained.curve("critic_estimate") for method, trained in first.items()
            }
        },
    )


def critic_weights(trainer: GanTrainer) -> np.ndarray:
    """All trained weights of a critic, float64 `[n]`: those that a clip holds."""
    weights = trainer.critic.trainable_variables if trainer.critic is not None else []
    return np.concatenate([np.ravel(weight) for weight in weights]).astype(np.float64)


def _clip(trainer: GanTrainer) -> float:
    """The bound on the size of the critic's weights; 0 for none."""
    objective = trainer.objective
    return objective.clip if isinstance(objective, Adversarial) else 0.0


def histogram(weights: np.ndarray, clip: float) -> tuple[np.ndarray, np.ndarray]:
    """Middles of equal bins, and how many weights lie in each.

    The bins reach from -clip to clip, or as far as there are weights.
    """
    limit = max(clip, np.abs(weights).max())
    counts, edges = np.histogram(weights, BINS, (-limit, limit))
    return (edges[:-1] + edges[1:]) / 2, counts


def measure(trained: Trained) -> dict[str, float]:
    """The numbers of one run; NaN is what it does not have."""
    trainer, real = trained.trainer, trained.real
    weights, clip, fake = critic_weights(trainer), _clip(trainer), trainer.evaluation_samples()
    distance = w1(fake, real)
    critic = certified_gap(trainer, fake, real, distance)
    return {
        "weights at the box": float(np.mean(np.abs(weights) >= 0.99 * clip)) if clip else np.nan,
        "largest weight": float(np.abs(weights).max()),
        "standard deviation": float(weights.std()),
        "slope": critic["critic_gradient_norm"],
        "estimate": critic["critic_raw"],
        "proves W1 >=": critic["critic_certified"],
        "exact W1": distance,
        "seconds": trained.seconds,
    }


def _row(several: Sequence[Mapping[str, float]]) -> dict[str, object]:
    """The numbers of a method, over its seeds if there are several."""
    row: dict[str, object] = {}
    for label in several[0]:
        values = [one[label] for one in several]
        row[label] = "-" if np.isnan(values[0]) else spread(values)
    return row


def weight_charts(trainers: Mapping[str, GanTrainer]) -> np.ndarray:
    """Histograms of the critics' weights, three in a row."""
    charts = []
    for method, trainer in trainers.items():
        places, counts = histogram(critic_weights(trainer), _clip(trainer))
        charts.append(
            bar_chart(
                {method: (places, counts / 1000)}, method, "weight", "thousands", size=(440, 280)
            )
        )
    return tiles([charts[i : i + 3] for i in range(0, len(charts), 3)])


def _samples(runs: Mapping[str, Trained], n: int = 32) -> np.ndarray:
    real = next(iter(runs.values())).real
    shown = {"real": real[:: max(1, len(real) // n)][:n]}
    return side_by_side(
        {**shown, **{method: one.trainer.evaluation_samples(n) for method, one in runs.items()}},
        columns=4,
    )


def _text(study: Study, runs: Runs, found: Found, untrained: np.ndarray) -> str:
    """What was done and found, in words."""
    settings, real = common(study), runs[_PENALISED][0].real
    half, minutes = (
        min(len(untrained), len(real) // 2),
        sum(one.seconds for many in runs.values() for one in many) / 60,
    )
    start, reference = (w1(x, y) for x, y in ((untrained, real), (real[:half], real[half:])))
    _, counts = histogram(critic_weights(runs[_TOLD][0].trainer), CLIPS[_TOLD])
    means = {
        method: {label: float(np.mean([one[label] for one in several])) for label in several[0]}
        for method, several in found.items()
    }
    return "\n\n".join([
        f"{settings['steps']:,} generator steps with 5 critic steps each, batches of "
        f"{settings['batch_size']}, seeds: {study.seeds}; RMSProp at 3e-4 for the clips, Adam "
        f"(3e-4; 0.5, 0.9) for {_PENALISED}; {minutes:.1f} minutes of training in all. At the box "
        "are weights of at least 0.99 c; the slope is the mean norm of the critic's gradient "
        "between real and generated samples; the estimate is E f(x) - E f(G(z)); what the critic "
        "proves is a lower bound on W1, after dividing by its slope.",
        large_clips(means),
        small_clips(means),
        f"The untrained generator's W1 is {start:.4g}; "
        f"{half:,} real samples are {reference:.4g} from the others.",
        f"With {_TOLD}, {counts[0]:,} of {counts.sum():,} weights lie in the lowest of {BINS} "
        f"bins, {counts[-1]:,} in the highest, "
        f"{np.median(counts[1:-1]):,.0f} in the median one between (seed 0).",
        f"Histograms, curves{' and samples' if real.ndim == 4 else ''} are of seed 0. A curve has "
        "gaps where the estimate is not above 0.",
    ])  # fmt: skip


def large_clips(means: Means) -> str:
    """What the numbers say of the claim about large clips."""
    box = [means[name]["weights at the box"] for name in CLIPS]
    proven = {name: one["proves W1 >="] / one["exact W1"] for name, one in means.items()}
    filled, optimal = _rank_correlation(box), _rank_correlation([proven[name] for name in CLIPS])
    shares = ", ".join(f"{share:.0%} ({name})" for name, share in proven.items())
    return (
        "*With a large clip weights take long to reach their limit, so that the critic is hard to "
        "train till optimality* (Arjovsky et al., 2017): "
        f"{_says(filled <= -0.5, optimal <= -0.5)}. As c grows, the share of weights at the box "
        f"goes from {box[0]:.2g} to {box[-1]:.2g} (rank correlation {filled:.1f}). Of W1 the "
        f"critics prove {shares}; rank correlation {optimal:.1f}."
    )


def small_clips(means: Means) -> str:
    """What the numbers say of the claim about small clips."""
    slope, w1 = ([means[name][label] for name in CLIPS] for label in ("slope", "exact W1"))
    steep, far, best = (
        _rank_correlation(slope),
        _rank_correlation(w1),
        min(CLIPS, key=lambda c: means[c]["exact W1"]),
    )
    return (
        f"*With a small clip gradients vanish* (likewise): {_says(steep >= 0.5, far <= -0.5)}. As "
        f"c grows, the slope goes from {slope[0]:.2g} to {slope[-1]:.2g} (rank correlation "
        f"{steep:.1f}; {_PENALISED} {means[_PENALISED]['slope']:.2g}), the generator's W1 from "
        f"{w1[0]:.4g} to {w1[-1]:.4g} ({far:.1f}). It is least, {means[best]['exact W1']:.4g}, "
        f"with {best}; {_PENALISED} reaches {means[_PENALISED]['exact W1']:.4g}."
    )


def _rank_correlation(values: Sequence[float]) -> float:
    """Spearman's, of numbers and the clips they belong to; 0 if they are all the same."""
    return float(spearmanr(range(len(values)), values).statistic) if np.ptp(values) else 0.0


def _says(first: bool, second: bool) -> str:
    """How two numbers that a claim foretells turned out."""
    return ("not seen here", "seen here in part", "seen here")[first + second]
