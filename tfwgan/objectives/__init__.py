"""Objectives: what is minimised. Each is a value, from which `with_` makes others.

    >>> from tfwgan.objectives import hinge, wgan_gp
    >>> wgan_gp.with_(gp=5.0).penalties
    {'gp': 5.0}
    >>> hinge.with_(r1=1.0, joint=True).penalties
    {'r1': 1.0}

`help(wgan_gp)` gives its equation and paper. A distance becomes an objective without a critic by
`Direct`, as in ``Direct(tfwgan.swd)``; `OBJECTIVES` holds all that the command line knows by name.
"""

from tfwgan.objectives.adversarial import Adversarial
from tfwgan.objectives.auxiliary import ClassHead, InfoHead, Reconstruction
from tfwgan.objectives.direct import Direct
from tfwgan.objectives.losses import (
    OBJECTIVES,
    acgan,
    gan,
    hinge,
    infogan,
    lsgan,
    rpgan,
    soft_hinge,
    veegan,
    wgan,
    wgan_gp,
    wgan_lp,
)
from tfwgan.objectives.penalties import (
    PENALTIES,
    gradient_penalty,
    lipschitz_penalty,
    r1_penalty,
    r2_penalty,
)

__all__ = [
    "OBJECTIVES",
    "PENALTIES",
    "Adversarial",
    "ClassHead",
    "Direct",
    "InfoHead",
    "Reconstruction",
    "acgan",
    "gan",
    "gradient_penalty",
    "hinge",
    "infogan",
    "lipschitz_penalty",
    "lsgan",
    "r1_penalty",
    "r2_penalty",
    "rpgan",
    "soft_hinge",
    "veegan",
    "wgan",
    "wgan_gp",
    "wgan_lp",
]
