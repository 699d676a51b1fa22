"""Figure 7: the critic's architecture chooses the distance that a WGAN minimises.

A convolutional critic with global average pooling (GAP) sees only patches, so it should lower the
distance between patches; one with a fully connected head knows where a patch is; a fully connected
critic sees whole images. Beside them stand generators trained on those distances directly, without
a critic.
"""

import itertools
from collections.abc import Mapping

import numpy as np
from scipy import ndimage
from scipy.stats import binomtest

from tfwgan.networks.cnn import receptive_field
from tfwgan.program.spec import parse
from tfwgan.studies.study import Settings, Study, Trained, report, side_by_side, spread, train_all
from tfwgan.transport.patches import local_patch_swd, patch_swd

DEPTH, KERNEL, WIDTH = 3, 3, 16  # of the convolutional critic, whose strides are 2
FIELD, STRIDE = receptive_field(DEPTH, KERNEL), 2**DEPTH

# Images of 31 pixels are seen whole by three unpadded layers of stride 2 (31, 15, 7, 3); of 32, the
# last row is not.
SIZE = 31


def methods(fast: bool) -> dict[str, Settings]:
    """The runs of the study by name.

    They are three critics, and the direct distance that each is compared with.
    """
    steps = 500 if fast else 1500
    critic = {"steps": steps, "batch_size": 64, "gen_arch": "FC-nf=512"}
    direct = {**critic, "steps": min(steps, 1000)}
    view = f"-p={FIELD}-s={STRIDE}"
    return {
        "FC critic": {**critic, "disc_arch": "FC-nf=512"},
        "CNN+FC critic": {**critic, "disc_arch": f"CNN-GAP=False-nf={WIDTH}"},
        "CNN+GAP critic": {**critic, "disc_arch": f"CNN-GAP=True-nf={WIDTH}"},
        "direct image W1": {**direct, "loss": "w1"},
        "direct local patch SWD": {**direct, "loss": f"local_patch_swd{view}"},
        "direct patch SWD": {**direct, "loss": f"patch_swd{view}"},
    }


def metrics() -> dict[str, str]:
    """What is measured, as label and spec.

    Patches are those that one output of the convolutional critic sees.
    """
    view = f"-p={FIELD}-s={STRIDE}"
    return {
        "image W1": "w1",
        "patch SWD": f"patch_swd{view}",
        "local patch SWD": f"local_patch_swd{view}",
    }


def run(study: Study) -> str:
    """Trains every method with every seed, compares, writes the report; returns it."""
    chosen, configs = methods(study.fast), {}
    for seed, (method, settings) in itertools.product(range(study.seeds), chosen.items()):
        name = f"{method.replace(' ', '_').replace('+', '_')}_{seed}"
        configs[method, seed] = study.config(name, seed=seed, **common(study), **settings)
    runs = train_all(configs)
    rows = [
        _row(study, method, [runs[method, seed] for seed in range(study.seeds)])
        for method in chosen
    ]
    real = next(iter(runs.values())).real
    real = real[:: max(1, len(real) // 64)][:64]
    critics, direct = (
        {m: runs[m, 0].trainer.evaluation_samples() for m in half}
        for half in (list(chosen)[:3], list(chosen)[3:])
    )
    return report(
        study.out,
        f"Figure 7: which distance a critic minimises, {study.data}",
        _verdict(runs, study.seeds, sum(run.seconds for run in runs.values()) / 60),
        rows,
        {
            "critics": side_by_side({"real": real, **critics}),
            "direct": side_by_side({"real": real, **direct}),
        },
        {
            label: {
                method: runs[method, 0].curve(parse(metrics()[label]).name) for method in chosen
            }
            for label in ("image W1", "patch SWD")
        },
    )


def common(study: Study) -> Settings:
    """What all runs of the study share."""
    steps = methods(study.fast)["FC critic"]["steps"]
    data = (
        {"data": f"squares-size={SIZE}-square=5"}
        if study.data == "squares"
        else {"image_size": SIZE}
    )
    return {
        **data,
        "limit_data": min(study.limit_data or 2000, 2000),
        "metrics": tuple(metrics().values()),
        "eval_steps": steps // 10,
        "log_steps": steps // 10,
    }


def _row(study: Study, method: str, runs: list[Trained]) -> dict[str, object]:
    """A line of the table: mean and standard deviation over the seeds, at the end of training."""
    row: dict[str, object] = {"generator trained with": method}
    for label, spec in metrics().items():
        row[label] = spread([run.rows[-1][parse(spec).name] for run in runs])
    # The paper's own view, at twice the number of pixels, and a finer one.
    fakes = [run.trainer.evaluation_samples() for run in runs]
    real = runs[0].real
    row["patch SWD (16, 8)"] = spread([float(patch_swd(fake, real, p=16, s=8)) for fake in fakes])
    row["local patch SWD (16, 8)"] = spread(
        [float(local_patch_swd(fake, real, p=16, s=8)) for fake in fakes]
    )
    row["patch SWD (8, 2)"] = spread([float(patch_swd(fake, real, p=8, s=2)) for fake in fakes])
    if study.data == "squares":
        counts = [bright_parts(fake) for fake in fakes]
        row["squares per image"] = spread([float(count.mean()) for count in counts])
        row["images with one square"] = spread([float((count == 1).mean()) for count in counts])
    return row


def bright_parts(images: np.ndarray) -> np.ndarray:
    """How many separate bright areas (above 0) each image has: 1 for a square.

    Images `[n, h, w, 1]` lie in [-1, 1], and the counts are int `[n]`.
    """
    return np.array([ndimage.label(image[..., 0] > 0)[1] for image in images])


def _verdict(runs: Mapping[tuple[str, int], Trained], seeds: int, minutes: float) -> str:
    """The paper's claim put to a sign test over the seeds, in words."""
    keys = {label: parse(spec).name for label, spec in metrics().items()}
    final = {
        label: {at: run.rows[-1][key] for at, run in runs.items()} for label, key in keys.items()
    }
    claims = [
        ("patch SWD", "CNN+GAP critic", "FC critic"),
        ("patch SWD", "CNN+GAP critic", "CNN+FC critic"),
        ("image W1", "FC critic", "CNN+GAP critic"),
        ("image W1", "CNN+FC critic", "CNN+GAP critic"),
    ]
    lines = [
        f"Seeds: {seeds}. {minutes:.1f} minutes of training in all. The paper's claim, "
        "seed by seed:",
        "",
    ]
    for label, better, worse in claims:
        wins = sum(final[label][better, seed] < final[label][worse, seed] for seed in range(seeds))
        p = binomtest(wins, seeds, alternative="greater").pvalue
        lines.append(
            f"- {label} of the {better} below that of the {worse}: "
            f"{wins} of {seeds} (sign test p = {p:.3g})"
        )
    lines += ["", "Pictures: real images, then the atoms of seed 0 in the order of the table."]
    return "\n".join(lines)
