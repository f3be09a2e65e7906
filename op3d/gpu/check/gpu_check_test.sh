#!/bin/bash
# gpu_check tried on the CPU, and its exit codes without a GPU.
set -eu
program=$1
record=$TEST_TMPDIR/record.json

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
"$program" --device=cpu --output="$record" > "$TEST_TMPDIR/out" || fail "the checks on the CPU: $(cat "$TEST_TMPDIR/out")"
grep -q "all checks passed" "$TEST_TMPDIR/out" || fail "no last line"
python3 - "$record" <<'PYTHON'
import json, sys
record = json.load(open(sys.argv[1]))
assert record["passed"] and len(record["checks"]) > 40, record
for kind in ("matrix_product", "training", "training_graph", "scoring"):
    assert record["figures"][kind], kind
assert record["left_out"] == [], record["left_out"]
PYTHON
code=0
CUDA_VISIBLE_DEVICES= "$program" 2> "$TEST_TMPDIR/err" || code=$?
[ $code = 3 ] || fail "exit code $code without a GPU"
grep -q "no GPU here: device 'cuda': " "$TEST_TMPDIR/err" || fail "$(cat "$TEST_TMPDIR/err")"
code=0
"$program" --device=tpu 2> "$TEST_TMPDIR/err" || code=$?
[ $code = 2 ] || fail "exit code $code for an unknown device"
