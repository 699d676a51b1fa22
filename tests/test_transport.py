"""These are laws of the front door of `tfwgan.transport`.

What it is about can be imported from it, and nothing else is shown.
"""

import subprocess
import sys
import types

import numpy as np
import pytest

from tfwgan import transport


@pytest.mark.parametrize("name", transport.__all__)
def test_every_name_is_there_and_says_what_it_is(name):
    thing = getattr(transport, name)
    assert not isinstance(thing, types.ModuleType)
    assert isinstance(thing, dict) or name == "Distance" or len(thing.__doc__) > 40


def test_nothing_else_is_shown():
    assert dir(transport) == sorted(transport.__all__)
    assert {"w1", "exact_plan", "sinkhorn", "swd", "patch_swd", "ot_means", "certify"} <= set(
        dir(transport)
    )


@pytest.mark.slow
def test_functions_stay_functions_when_the_modules_of_their_name_are_imported():
    code = (
        "import tfwgan.transport.sinkhorn, tfwgan.transport.means, tfwgan.transport.sliced\n"
        "from tfwgan import transport\n"
        "import tfwgan.metrics\n"
        "assert callable(transport.sinkhorn) and callable(transport.w1)\n"
        "from tfwgan.transport.sinkhorn import sinkhorn_loss\n"
        "assert transport.sinkhorn([[0.0]], [[1.0]], 0.1).converged and "
        "callable(transport.sinkhorn)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_distances_agree_on_a_translate_of_a_point():
    x, y = np.zeros((1, 2)), np.array([[3.0, 4.0]])
    assert transport.w1(x, y) == transport.exact_plan(x, y).value == 5.0
    assert transport.certify(x, y, [5.0], [0.0]).lower == pytest.approx(5.0)
    assert transport.ot_means(y, 1).value == 0.0
    assert (
        float(transport.full_dim_swd(x, y)) == pytest.approx(5.0)
        and float(transport.swd(x, y)) < 5.0
    )
