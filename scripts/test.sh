#!/usr/bin/env bash
# Runs the linter, the type checker and the whole test suite, in an environment it makes itself if need be; arguments go to pytest:
# bash scripts/test.sh -m "not slow"
set -euo pipefail
EXTRA="[test]"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$root"
# Real data for the tests that use some; they are skipped where it is missing.
if [ -z "${TFWGAN_TEST_DATA:-}" ] && [ -d ../shared/data/tensorflow_datasets ]; then
  TFWGAN_TEST_DATA="$(cd ../shared/data && pwd)"
fi
export TFWGAN_TEST_DATA="${TFWGAN_TEST_DATA:-}"
"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m mypy
# A process per core; the tests of a file share what they prepare, so they stay together.
exec "$PYTHON" -m pytest -n auto --dist loadfile "$@"
