#!/bin/bash
# gpu_check.sh with a stand-in for the program: its exit codes, and that the record outlives every end.
set -eu
script=$1
bundle=$TEST_TMPDIR/bundle
mkdir -p "$bundle"/{bin,peers,site/torch/lib}
cp "$script" "$bundle/gpu_check.sh"
chmod +x "$bundle/gpu_check.sh"
echo 0123abc > "$bundle/commit"
touch "$bundle/site/torch/__init__.py" "$bundle/site/beside.py"

# Writes a record with its flags, then ends as $END says.
cat > "$bundle/bin/gpu_check" <<'PROGRAM'
#!/bin/bash
for flag in "$@"; do
  case $flag in
    --output=*) record=${flag#*=} ;;
    --notes=*) notes=${flag#*=} ;;
  esac
done
[ "$END" = flag ] && exit 2
[ "$END" = none ] && exit 3
echo "{\"complete\": false, \"notes\": $notes, \"flags\": \"${*//\"/}\", \"figures\": {}}" > "$record"
case $END in
  crash) kill -ABRT $$ ;;
  sleep) sleep 60 ;;
  deaf) trap '' TERM; for i in $(seq 60); do sleep 1; done ;;
  *) exit "$END" ;;
esac
PROGRAM
chmod +x "$bundle/bin/gpu_check"

# Must find what was on PYTHONPATH before, too.
cat > "$bundle/peers/eager_peers.py" <<'PROGRAM'
import json, sys
import beside
record = json.load(open(sys.argv[1]))
record["eager"] = "compared"
json.dump(record, open(sys.argv[1], "w"))
PROGRAM

fail() {
  echo "FAILED: $*" >&2
  cat "$TEST_TMPDIR/out" >&2
  exit 1
}
# run END SECONDS EXIT_CODE [ARGUMENT...]
run() {
  local end=$1 seconds=$2 expected=$3 code=0
  shift 3
  END=$end OP3D_GPU_CHECK_SECONDS=$seconds PYTHONPATH=$bundle/site "$bundle/gpu_check.sh" "$@" \
    > "$TEST_TMPDIR/out" 2>&1 || code=$?
  [ $code = "$expected" ] || fail "$end ends with $code, not $expected"
}
# has RECORD PYTHON_EXPRESSION
has() {
  python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), r' "$1" "$2" ||
    fail "$2 of $1"
}
record=$bundle/gpu_check.json
for code in 0 1; do
  run $code 100 $code
  has "$record" "r['eager'] == 'compared' and r['exit_code'] == $code and 'before' in r['nvidia_smi']"
  has "$record" "r['notes']['commit'] == '0123abc'"
done
run crash 100 2
has "$record" "r['eager'] == 'compared' and r['exit_code'] == 2 and not r['complete']"
grep -q "the program crashed, exit code 134" "$TEST_TMPDIR/out" || fail "no word of the crash"
[ -e "$record.old" ] || fail "the older record is gone"

# Two seconds for the program, none for the comparison.
run sleep 3 124
has "$record" "r['exit_code'] == 124"
grep -q "record: $record" "$TEST_TMPDIR/out" || fail "no word of the record"
run deaf 2 124 "$TEST_TMPDIR/own.json" --checks=false --frames=32,64
has "$TEST_TMPDIR/own.json" "r['exit_code'] == 124 and r['flags'].endswith(' --checks=false --frames=32,64')"
run 0 100 0 --checks=false
has "$record" "r['flags'].endswith(' --checks=false')"

run none 100 3
run flag 100 2
[ ! -e "$record" ] || fail "a record without a GPU"
