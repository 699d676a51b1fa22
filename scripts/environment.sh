# Sourced by run_main.sh and scripts/test.sh. Sets PYTHON to an interpreter that can import tfwgan: the current one if it
# already can, else the one of .venv, which is made and filled at the first call. EXTRA=[test] adds what the tests need.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
modules="tfwgan, tensorflow, tensorflow_datasets, ot"
[ -z "${EXTRA:-}" ] || modules="$modules, pytest, xdist, hypothesis, ruff"

# From another folder, so that only an installed package counts; find_spec, so that nothing heavy is loaded.
can_import() {
  (cd / && "$1" -c "import sys; from importlib.util import find_spec
sys.exit(not all(map(find_spec, '$modules'.split(', '))))") >/dev/null 2>&1
}

PYTHON="$(command -v python || command -v python3 || true)"
if [ -z "$PYTHON" ] || ! can_import "$PYTHON"; then
  if ! can_import "$root/.venv/bin/python"; then
    PYTHON="$(command -v python3 || command -v python || true)"
    if [ -z "$PYTHON" ] || ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
      echo "tfwgan needs Python 3.10 or newer; python3 here is: $("${PYTHON:-false}" --version 2>&1 || echo missing)" >&2
      exit 2
    fi
    echo "Installing tfwgan and TensorFlow into $root/.venv (a minute or two, once) ..."
    if ! "$PYTHON" -m venv "$root/.venv"; then
      echo "Can't make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
      exit 2
    fi
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root${EXTRA:-}"
  fi
  PYTHON="$root/.venv/bin/python"
fi
