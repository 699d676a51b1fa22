"""Studies: experiments that end in a table, curves and pictures.

Each is one file with a function `run`.
"""

from tfwgan.studies import clipping, collapse, epochs, fig5, fig6, fig7, losses, scores, stacked

__all__ = ["COMPARISONS", "FIGURES"]

FIGURES = {"fig5": fig5.run, "fig6": fig6.run, "fig7": fig7.run}
COMPARISONS = {
    "modes": collapse.run,
    "losses": losses.run,
    "epochs": epochs.run,
    "clipping": clipping.run,
    "scores": scores.run,
    "stacked": stacked.run,
}
