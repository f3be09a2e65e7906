#!/bin/bash
# Checks and measures op3d on this machine's GPU, within 8 minutes:
#
#   ./gpu_check.sh [RECORD.json]              # PYTHON=python3 names the Python that has PyTorch 2.11
#
# Needs a driver and PyTorch's wheels, whose LibTorch and CUDA libraries are used; all else is in lib/.  Correctness
# first, then the miniature's training, then speed, then the same networks in eager PyTorch.
# Exit codes: 0 all checks passed, 1 some failed, 2 an error, 3 no GPU here, 4 no PyTorch or a library is
# missing, 124 the time was up.
set -u
here=$(cd "$(dirname "$0")" && pwd)
record=${1:-$here/gpu_check.json}
python=${PYTHON:-python3}
started=$SECONDS

# Found without importing it, which would need all of its Python packages.
torch=$("$python" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' \
  2>/dev/null)
if [ -z "$torch" ]; then
  echo "gpu_check: $python has no PyTorch; set PYTHON to one with torch 2.11 (pip install torch==2.11.0)" >&2
  exit 4
fi
libraries=$torch/lib
for folder in "$(dirname "$torch")"/nvidia/*/lib ${OP3D_CUDA_LIBRARIES:-}; do libraries+=:$folder; done
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
missing=$(ldd "$here/bin/gpu_check" 2>&1 | grep -E 'not found|version .* required')
if [ -n "$missing" ]; then
  echo "gpu_check: this machine lacks" >&2
  echo "$missing" >&2
  exit 4
fi
echo "LibTorch of $torch; built from $(cat "$here/commit")"

# Some of cuBLAS's products are deterministic only with this.
export CUBLAS_WORKSPACE_CONFIG=:4096:8
timeout 330 "$here/bin/gpu_check" --miniature="$here/miniature.safetensors" --figure_seconds=150 \
  --output="$record"
code=$?
[ $code -gt 1 ] && exit $code
left=$((465 - (SECONDS - started)))
if [ $left -gt 30 ]; then
  PYTHONPATH=$here/peers timeout $left "$python" "$here/peers/eager_peers.py" "$record" --seconds=$((left - 30)) ||
    echo "gpu_check: the comparison with eager PyTorch failed" >&2
fi
echo "record: $record, $((SECONDS - started)) seconds"
exit $code
