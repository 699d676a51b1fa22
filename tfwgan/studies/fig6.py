"""Figure 6: with as many atoms as images (M = N), the generator copies the training images.

The least W1 is 0 then.
"""

import numpy as np

from tfwgan.audit.atoms import inspect_atoms
from tfwgan.studies.study import Settings, Study, report, side_by_side, train


def settings(study: Study) -> Settings:
    """The run: N images, N atoms, all of them in every batch."""
    if study.data == "squares":
        data, n = "squares-size=32-square=5-stride=3", 81
    else:
        data, n = study.data, 100
    adam = "adam-lr={}-beta_1=0.5-beta_2=0.9-schedule=cosine"
    return {
        "data": data,
        "limit_data": n,
        "z_prior": f"const={n}",
        "batch_size": n,
        "gen_arch": "FC-nf=512",
        "disc_arch": "FC-nf=512",
        # Both rates fall: near the end the critic has nothing left to find, and its noise would
        # move the atoms.
        "g_opt": adam.format(5e-4),
        "d_opt": adam.format(1e-3),
        "steps": 1500 if study.fast else 2500,
        "metrics": ("w1",),
        "eval_steps": 250,
    }


def run(study: Study) -> str:
    """Trains, finds each atom's nearest training image, writes the report; returns it."""
    config = study.config("m_equals_n", **settings(study))
    trained = train(config)
    atoms = inspect_atoms(trained.trainer.evaluation_samples(), trained.real)
    distance, n = float(atoms.nearest_distance.mean()), len(atoms.fake)
    rows = [
        {
            "atoms = images": n,
            "image W1": atoms.transport.proven().value,
            "mean distance to nearest image": distance,
            "mean distance of two images": atoms.scale,
            "share": distance / atoms.scale,
            "images copied": f"{len(set(atoms.nearest_real[atoms.copies].tolist()))} of {n}",
        }
    ]
    order = np.argsort(atoms.nearest_real, kind="stable")[:64]
    pair = {"atoms": atoms.fake[order], "nearest": atoms.real[atoms.nearest_real[order]]}
    steps, values = trained.curve("w1")
    text = (
        f"{config.steps:,} generator steps with 5 critic steps each, {trained.seconds / 60:.1f} "
        "minutes. Left: atoms; right: the training image nearest to each. An image counts as "
        "copied if an atom is within 5% of the mean distance of two images."
    )
    title = f"Figure 6: as many atoms as images, {study.data}"
    return report(
        study.out,
        title,
        text,
        rows,
        {"atoms": side_by_side(pair)},
        {"image W1": {"W1": (steps, values)}},
    )
