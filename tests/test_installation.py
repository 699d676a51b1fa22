"""What pip makes of the package leans on nothing in the checkout.

It is tried with other interpreters than the one of the tests, too.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from conftest import TINY

ROOT = Path(__file__).parent.parent
TRAIN = ["train", *(f"--{name}={value}" for name, value in TINY.items()), "--name=run"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built of a copy of the sources, so that nothing a former build left is in it."""
    source, out = tmp_path_factory.mktemp("source") / "tfwgan", tmp_path_factory.mktemp("wheel")
    source.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "tfwgan", "configs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        out,
        source,
    ]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


def environment(*first):
    """Returns an environment in which Python finds some folders first, and no checkout.

    After the folders it finds the packages of these tests.
    """
    paths = [*map(str, first), sysconfig.get_paths()["purelib"]]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


def do(command, cwd, env, code=0):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def test_the_wheel_holds_the_whole_package(wheel):
    files = [
        *(p for p in (ROOT / "tfwgan").rglob("*") if p.is_file() and "__pycache__" not in p.parts),
        *(ROOT / "configs").rglob("*.yaml"),
    ]
    wanted = {str(p.relative_to(ROOT)) for p in files}
    wanted = {f"tfwgan/{name}" if name.startswith("configs/") else name for name in wanted}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "tfwgan = tfwgan.program.verbs:main" in archive.read(entry).decode()
    assert names == wanted


@pytest.mark.slow
def test_an_installed_wheel_does_everything_outside_the_checkout(wheel, tmp_path):
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        home / "bin" / "python",
        "install",
        "--quiet",
        "--no-deps",
        wheel,
    ]
    subprocess.run(pip, check=True, capture_output=True)
    (site,) = home.glob("lib/python*/site-packages")
    env, tfwgan = environment(site), home / "bin" / "tfwgan"
    where = do(
        [home / "bin" / "python", "-c", "import tfwgan; print(tfwgan.__file__)"], tmp_path, env
    ).stdout
    assert Path(where.strip()).is_relative_to(site)

    out = do([tfwgan, *TRAIN], tmp_path, env).stdout
    then = [shlex.split(line) for line in out.split("Next:\n")[1].splitlines()]
    sample, resume = (next(one for one in then if one[1] == verb) for verb in ("sample", "train"))
    assert tmp_path / sample[0] == tfwgan  # by the shortest way from here
    do(sample, tmp_path, env)
    do(resume, tmp_path, env)
    do([tfwgan, "export", "outputs/run", "--out=model"], tmp_path, env)
    do([tfwgan, "interpolate", "model", "--rows=2", "--out=paths.png"], tmp_path, env)
    do([tfwgan, "train", "--config=ring8_wgan_gp", "--dry_run"], tmp_path, env)
    assert {"grid.png", "paths.png", "model", "outputs"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert "did you mean 'train'" in do([tfwgan, "trian"], tmp_path, env, code=2).stderr


def others():
    """Finds interpreters of this minor version that are another patch release.

    Each comes with its full version.
    """
    names = [*Path("/usr/bin").glob("python3*"), *Path("/usr/local/bin").glob("python3*")]
    names += Path.home().glob(".pyenv/versions/*/bin/python")
    found = {}
    for name in sorted(names):
        code = "import sys; print(*sys.version_info[:3])"
        done = subprocess.run([name, "-c", code], capture_output=True, text=True, check=False)
        version = tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()
        if version[:2] == sys.version_info[:2] and version != sys.version_info[:3]:
            found.setdefault(version, str(name))
    return found


OTHERS = others()


@pytest.mark.slow
@pytest.mark.skipif(not OTHERS, reason="this machine has one release of this Python")
@pytest.mark.parametrize(
    "python", OTHERS.values(), ids=[".".join(map(str, version)) for version in OTHERS]
)
def test_other_releases_of_this_python_train_and_sample(python, tmp_path):
    env = environment(ROOT)
    do([python, "-m", "tfwgan", *TRAIN, "--z_prior=const=8", "--metrics=w1"], tmp_path, env)
    do([python, "-m", "tfwgan", "sample", "outputs/run", "--n=4"], tmp_path, env)
    assert (tmp_path / "grid.png").exists()
    command = [
        python,
        "-m",
        "tfwgan.main",
        f"--config={ROOT}/configs/fashion_wgan.yaml",
        "--dry_run",
    ]
    assert "138,945 weights" in do(command, tmp_path, env).stdout
