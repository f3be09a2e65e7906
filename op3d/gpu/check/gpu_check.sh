#!/bin/bash
# Checks and measures op3d on this machine's GPU, within 8 minutes:
#
#   ./gpu_check.sh [RECORD.json] [FLAG...]    # PYTHON=python3 names the Python that has PyTorch 2.11
#   ./gpu_check.sh rest.json --checks=false --networks=dg_p3d_resnet101 --frames=32,64
#
# Needs a driver and PyTorch's wheels, whose LibTorch and CUDA libraries are used; all else is in lib/.  Correctness
# first, then the miniature's training, then speed, then the same networks in eager PyTorch.  Flags are those of
# bin/gpu_check (--help).  The record is written after every check and figure, so that what was measured is there
# however this ends; an older one of the same name is kept as RECORD.json.old.
# Exit codes: 0 all checks passed, 1 some failed, 2 an error or a crash, 3 no GPU here, 4 no PyTorch or a library is
# missing, 124 the time was up.
set -u
here=$(cd "$(dirname "$0")" && pwd)
record=$here/gpu_check.json
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  record=$1
  shift
fi
python=${PYTHON:-python3}
started=$SECONDS
# Seconds of everything; the program gets 11 sixteenths of them.
total=${OP3D_GPU_CHECK_SECONDS:-480}
limit=$((total * 11 / 16))

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

# Clocks and limits, if there is an nvidia-smi.
smi() {
  timeout 10 nvidia-smi --format=csv \
    --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.limit,ecc.mode.current 2>/dev/null
}
# Prints a JSON object of the arguments NAME VALUE ...
notes() {
  "$python" -c 'import json, sys; a = sys.argv[1:]; print(json.dumps(dict(zip(a[::2], a[1::2]))))' "$@"
}
# Adds what only this script knows to the record: $1 = how gpu_check ended.
finish_record() {
  "$python" - "$record" "$1" "$smi_before" "$smi_after" <<'PYTHON'
import json, os, sys
path, code, before, after = sys.argv[1:]
with open(path) as file:
    record = json.load(file)
record["nvidia_smi"] = {"before": before, "after": after}
record["exit_code"] = int(code)
with open(path + ".new", "w") as file:
    json.dump(record, file, indent=2)
    file.write("\n")
os.replace(path + ".new", path)
PYTHON
}

[ -e "$record" ] && mv "$record" "$record.old"
smi_before=$(smi)
# Some of cuBLAS's products are deterministic only with this.
export CUBLAS_WORKSPACE_CONFIG=:4096:8
timeout --kill-after=10 "$limit" "$here/bin/gpu_check" --miniature="$here/miniature.safetensors" --output="$record" \
  --seconds=$((limit - 40)) --notes="$(notes commit "$(cat "$here/commit")" torch_folder "$torch")" "$@"
code=$?
# A program that does not end when it is told to is killed.
[ $code = 137 ] && [ $((SECONDS - started)) -ge "$limit" ] && code=124
if [ $code = 124 ]; then
  echo "gpu_check: not finished after $limit seconds" >&2
elif [ $code -gt 3 ]; then
  echo "gpu_check: the program crashed, exit code $code" >&2
  code=2
fi
# No GPU, or a wrong flag.
if [ $code = 3 ] || [ ! -e "$record" ]; then exit $code; fi
smi_after=$(smi)
finish_record $code || echo "gpu_check: the record lacks what nvidia-smi said" >&2

left=$((total - 15 - (SECONDS - started)))
if [ $left -gt 30 ]; then
  PYTHONPATH=$here/peers${PYTHONPATH:+:$PYTHONPATH} timeout --kill-after=10 $left \
    "$python" "$here/peers/eager_peers.py" "$record" --seconds=$((left - 30)) ||
    echo "gpu_check: the comparison with eager PyTorch failed" >&2
fi
echo "record: $record, $((SECONDS - started)) seconds, exit code $code"
exit $code
