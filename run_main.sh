#!/usr/bin/env bash
# Trains a Wasserstein GAN (weight clipping, RMSProp; Arjovsky et al., 2017) on 10,000 bundled images of clothes.
# Makes its own environment in .venv if this python has no tfwgan. Further flags are passed on: bash run_main.sh --seed=1
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/scripts/environment.sh"
exec "$PYTHON" -m tfwgan.main --config="$here/configs/fashion_wgan.yaml" "$@"
