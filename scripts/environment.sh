# Sourced by run_main.sh and scripts/test.sh. Sets PYTHON to an interpreter that can import tfwgan: the current one if it
# already can, else the one of .venv, which is made and filled at the first call. EXTRA=[test] adds what the tests need.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
modules="tfwgan, tensorflow, tensorflow_datasets, ot"
[ -z "${EXTRA:-}" ] || modules="$modules, pytest, xdist, hypothesis, ruff"

# From another folder, so that only an installed package counts; find_spec, so that nothing heavy is loaded. A tfwgan that
# was installed from elsewhere is not this one.
can_import() {
  (cd / && "$1" -c "import os, sys; from importlib.util import find_spec
found = list(map(find_spec, '$modules'.split(', ')))
sys.exit(not all(found) or os.path.realpath(found[0].origin) != os.path.realpath('$root/tfwgan/__init__.py'))") >/dev/null 2>&1
}

# TensorFlow has wheels for these.
suits() {
  command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# The first that suits and can make environments (Debian's own can't without python3-venv); else the first that suits.
find_python() {
  local name found=""
  for name in ${TFWGAN_PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    suits "$name" || continue
    "$name" -c 'import ensurepip, venv' >/dev/null 2>&1 && found="$name" && break
    found="${found:-$name}"
  done
  [ -z "$found" ] || command -v "$found"
}

PYTHON="$(command -v python || command -v python3 || true)"
if [ -z "$PYTHON" ] || ! can_import "$PYTHON"; then
  if ! can_import "$root/.venv/bin/python"; then
    PYTHON="$(find_python)"
    if [ -z "$PYTHON" ]; then
      echo "tfwgan needs Python 3.11, 3.12 or 3.13, and there is none; on Debian and Ubuntu: apt-get install python3 python3-venv" >&2
      exit 2
    fi
    echo "Installing tfwgan and TensorFlow into $root/.venv with $("$PYTHON" --version) (a minute or two, once) ..."
    if ! "$PYTHON" -m venv "$root/.venv"; then
      rm -rf "$root/.venv"
      echo "Can't make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
      exit 2
    fi
    if ! "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root${EXTRA:-}"; then
      echo "The installation failed; the lines above say why. Once that is mended, the same command goes on." >&2
      exit 2
    fi
  fi
  PYTHON="$root/.venv/bin/python"
fi
