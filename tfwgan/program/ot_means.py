"""Finds k equally weighted points near to a data set in the Wasserstein-1 distance (OTMeans)."""

from pathlib import Path

from absl import flags

from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan ot-means [--data=squares] [--k=64] [--method=weiszfeld] [--out=otmeans/]

Writes centroids.npz (centroids, value, history) and centroids.png to the folder --out.
They are a local optimum, the best found of several starts where these are cheap: near to the least
distance that any generator with k atoms can have, without a proof that none is nearer. Images of
this kind are blurred.
"""
POSITIONAL = ()


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_string("data", "squares", "data set", flag_values=values)
    flags.DEFINE_integer("k", 64, "number of points", lower_bound=1, flag_values=values)
    methods = ["weiszfeld", "mean", "gradient"]
    flags.DEFINE_enum(
        "method", "weiszfeld", methods, f"how points move: {', '.join(methods)}", flag_values=values
    )
    flags.DEFINE_integer("steps", 100, "steps at most", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "of the start", flag_values=values)
    cli.define_path("out", "otmeans", "folder to write to", values)
    flags.DEFINE_integer("limit_data", None, "keep the first so many samples", flag_values=values)
    cli.define_view(values)


def command(values: flags.FlagValues) -> None:
    """Loads the data, finds the points, writes them."""
    with quiet_tensorflow():
        from tfwgan.data import load
        from tfwgan.transport.means import ot_means, save
    from tfwgan.render import picture, save_png

    views = ("limit_data", "image_size", "center_crop", "gray_scale", "data_dir")
    dataset = load(values["data"].value, **{name: values[name].value for name in views})
    real = dataset.real(slice(None))
    k, method, steps, seed = (values[name].value for name in ("k", "method", "steps", "seed"))
    report = "step {}: W1 {:.5f}".format
    means = ot_means(
        real, k, method, steps, seed=seed, on_step=lambda *now: print(report(*now), flush=True)
    )
    out = Path(values["out"].value)
    with cli.writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        save(out / "centroids.npz", means)
        save_png(picture(means.centroids, real), out / "centroids.png")
    end = "converged" if means.converged else "stopped"
    print(
        f"{end} after {means.steps} steps and {means.seconds:.1f} s: W1 {means.value:.5f}; "
        f"wrote to {out}."
    )
