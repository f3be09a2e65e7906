#!/bin/bash
# gpu_check tried on the CPU, its record after it was killed, and its exit codes without a GPU.
set -eu
program=$1
record=$TEST_TMPDIR/record.json

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# has RECORD PYTHON_EXPRESSION
has() {
  python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), r' "$1" "$2" ||
    fail "$2 of $1"
}
"$program" --device=cpu --output="$record" --notes='{"commit": "0123"}' > "$TEST_TMPDIR/out" ||
  fail "the checks on the CPU: $(cat "$TEST_TMPDIR/out")"
grep -q "all checks passed" "$TEST_TMPDIR/out" || fail "no last line"
has "$record" "r['complete'] and r['passed'] and len(r['checks']) > 40 and r['commit'] == '0123'"
has "$record" "r['left_out'] == []"
for kind in matrix_product training_without_search training training_graph scoring feeding; do
  has "$record" "len(r['figures']['$kind']) == 1"
done
has "$record" "r['figures']['training'][0]['precision'] == 'bf16' and r['figures']['training'][0]['tflops'] > 0"
has "$record" "set(r['part_seconds']) == {'kernels', 'dg_p3d_miniature', 'figures'}"
for name in fed_seconds fed_bytes_seconds fed_planes_seconds transform_seconds transform_share; do
  has "$record" "r['figures']['feeding'][0]['$name'] > 0"
done
has "$record" "[c['cosine'] > 0.99 and c['cpu_fp32_from_fp64'] > 0 for c in r['checks'] if 'cosine' in c] == [True]"

# Killed at some moment: the record is whole and says that it is not complete.
killed=$TEST_TMPDIR/killed.json
"$program" --device=cpu --output="$killed" > "$TEST_TMPDIR/killed_out" 2>&1 &
pid=$!
for i in $(seq 600); do
  grep -q "ok  " "$TEST_TMPDIR/killed_out" && break
  sleep 0.05
done
kill -9 $pid
wait $pid 2> /dev/null || true
has "$killed" "not r['complete'] and r['checks'] and r['device'] == 'cpu'"

# The figures alone, of what a first run left out; in fp16 with a scaled loss.
"$program" --device=cpu --output="$record" --checks=false --networks=dg_p3d_miniature --frames=32 --precision=fp16 \
  > "$TEST_TMPDIR/out" || fail "figures alone: $(cat "$TEST_TMPDIR/out")"
has "$record" "r['complete'] and r['checks'] == [] and r['left_out'] == []"
has "$record" "r['figures']['training'][0]['frames'] == 32 and r['figures']['training'][0]['precision'] == 'fp16'"
"$program" --device=cpu --output="$record" --checks=false --seconds=0 > "$TEST_TMPDIR/out" || fail "no time"
has "$record" "len(r['left_out']) == 5 and list(r['figures']) == ['matrix_product']"

# expect EXIT_CODE TEXT FLAG...
expect() {
  local expected=$1 text=$2 code=0
  shift 2
  CUDA_VISIBLE_DEVICES= "$program" "$@" 2> "$TEST_TMPDIR/err" > "$TEST_TMPDIR/out" || code=$?
  [ $code = "$expected" ] || fail "exit code $code of $*"
  grep -q -- "$text" "$TEST_TMPDIR/err" || fail "$*: $(cat "$TEST_TMPDIR/err")"
}
expect 3 "no GPU here: device 'cuda': "
expect 2 "none of: cuda, cpu" --device=tpu
expect 2 "no positive number" --device=cpu --frames=16,x
expect 2 "unknown network\|nothing" --device=cpu --networks=nothing
expect 2 "too short" --device=cpu --frames=2
expect 2 "none of: bf16, fp16" --device=cpu --precision=fp64
expect 2 "no JSON object" --device=cpu --notes=x
expect 2 "/no/such/folder" --device=cpu --output=/no/such/folder/record.json
