"""Figure 5: with a fully connected critic, the 64 atoms of a WGAN come to minimise W1.

It is the W1 between images.

That minimum is what OTMeans computes without any network, so the trained generator's W1 is put
beside it.
"""

from tfwgan.studies.study import Settings, Study, report, side_by_side, train
from tfwgan.transport.means import ot_means

N = 64


def settings(study: Study) -> Settings:
    """The run: the critic of the paper; on squares that are 31 pixels wide if it has to be fast."""
    size: Settings = {"disc_arch": "FC-nf=512", "steps": 800 if study.fast else 1500}
    if study.data == "squares":
        fast = {"data": "squares-size=31-square=5", "disc_arch": "FC-nf=512", "steps": 1200}
        size = fast if study.fast else {"disc_arch": "FC-nf=1024", "steps": 3000, "xla": True}
    return {"z_prior": f"const={N}", "metrics": ("w1-otmeans=True",), "eval_steps": 100, **size}


def run(study: Study) -> str:
    """Trains, compares with OTMeans, writes the report; returns it."""
    config = study.config("fc", **settings(study))
    trained = train(config)
    means = ot_means(trained.real, N)
    last = trained.rows[-1]
    w1, best = last["w1"], last["w1_otmeans"]
    rows = [
        {"set of 64": "generator (WGAN-GP, FC critic)", "image W1": w1, "times OTMeans": w1 / best},
        {"set of 64": "OTMeans", "image W1": best, "times OTMeans": 1.0},
        {"set of 64": "real images", "image W1": last["w1_real"],
         "times OTMeans": last["w1_real"] / best},
    ]  # fmt: skip
    fake = trained.trainer.evaluation_samples()
    steps, values = trained.curve("w1")
    text = (
        f"{len(trained.real):,} images, {config.steps:,} generator steps with 5 critic steps each, "
        f"{trained.seconds / 60:.1f} minutes. Left: real images; middle: "
        "the generator's atoms; right: OTMeans."
    )
    pick = slice(0, None, max(1, len(trained.real) // N))
    return report(
        study.out,
        f"Figure 5: FC critic against OTMeans, {study.data}",
        text,
        rows,
        {
            "atoms": side_by_side(
                {"real": trained.real[pick][:N], "atoms": fake, "OTMeans": means.centroids}
            )
        },
        {
            "image W1": {
                "WGAN-GP, FC critic": (steps, values),
                "OTMeans": (steps, [best] * len(steps)),
            }
        },
    )
