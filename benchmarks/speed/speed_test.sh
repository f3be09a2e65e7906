#!/bin/bash
# Tests the program as it is called: a smoke run of every part, reports, comparisons, wrong use.
set -u
speed=$PWD/$1
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

expect 0 'bazelw run //benchmarks:speed -- --output=before.json' "$speed" --help
# Every part, once; the programs' own rows and filters are in step.
expect 0 '^wrote .*smoke.json' "$speed" --mode=smoke --output=smoke.json
expect 0 '^  BM_EstimateKnee/11  .* of gemm' "$speed" smoke.json
expect 0 '^  Scan/made.mp4  .* of decode' "$speed" smoke.json
expect 0 '"complete": true' cat smoke.json
"$speed" --list >list || fail "--list gave $?"
for row in 'data  TrainingSample/made.mp4' 'video  BM_Clip16' 'index  BM_LoadIndex' \
  'network  dg_p3d_resnet50/train/2x16x112/fp32' 'training  Files/R18' 'knee  BM_EstimateKnee/160' \
  'search  BM_Follow/states:1000/ways:3' 'search  BM_JournalEpoch'; do
  expect 0 "^$row" cat list
done
expect 0 '^network  dg_p3d_resnet50/evaluate/1x16x224/fp32' "$speed" --list --mode=full --parts=network

# Comparisons: with itself, one turn is not judged; then three turns, and twice the time.
expect 0 'too few turns to judge' "$speed" smoke.json --compare=smoke.json
row() {
  cat <<END
{"format": "op3d_speed", "version": 1, "mode": "quick", "complete": true, "parts": [{"name": "knee"}],
 "rows": [{"part": "knee", "name": "a", "clock": "cpu", "yardstick": "gemm",
           "ms": {"values": [$1, $1, $1]}, "ratio": {"values": [$1, $1, $1]}}]}
END
}
row 1 >one.json
row 2 >two.json
expect 0 'knee a .* inside the spread' "$speed" one.json --compare=one.json
expect 0 'FASTER' "$speed" one.json --compare=two.json
expect 1 'SLOWER' "$speed" two.json --compare=one.json
expect 1 '^speed: 1 rows became slower' "$speed" two.json --compare=one.json
expect 0 'inside the spread' "$speed" two.json --compare=one.json --tolerance=1.5
expect 2 'no row in common' "$speed" smoke.json --compare=one.json

# Wrong use.
expect 2 'unknown flag --turn;' "$speed" --turn=3
expect 2 '--turns=x does not parse' "$speed" --turns=x
expect 2 '--turns is -1; it must be in \[0, 100\]' "$speed" --turns=-1
expect 2 '--mode=fast; it must be smoke, quick or full' "$speed" --mode=fast
expect 2 "no part 'kneee'; there are data, video, index" "$speed" --parts=kneee
expect 2 '--parts names knee twice' "$speed" --parts=knee,knee
expect 2 '--parts=data_peers: it needs --peers_python' "$speed" --parts=data_peers
expect 2 '--peers_python: there is no file nowhere/python' "$speed" --peers_python=nowhere/python
expect 2 '--videos: there is no file no.mp4' "$speed" --videos=no.mp4
expect 2 '--min_seconds is nan' "$speed" --min_seconds=nan
expect 2 '--part_minutes is 0; it must be in (0' "$speed" --part_minutes=0
expect 2 '--tolerance has no effect here: it goes with --compare' "$speed" --tolerance=0.1
expect 2 '--turns has no effect here: one.json is read' "$speed" one.json --turns=3
expect 2 'smoke.json exists; remove it or give another name' "$speed" --mode=smoke --output=smoke.json
expect 2 'no.json' "$speed" --compare=no.json
expect 2 'no.json' "$speed" no.json
head -c 700 smoke.json >half.json
expect 2 'half.json is not a report of speeds' "$speed" one.json --compare=half.json
expect 2 'use: speed' "$speed" one.json two.json

# A part that cannot work: the others go on.
echo 'not a video' >bad.mp4
expect 1 'part data failed: exit code 1' "$speed" --mode=smoke --parts=data,knee --videos=bad.mp4 --output=part.json
expect 1 '1 of 2 parts failed or are missing: data' "$speed" part.json
expect 1 '^  BM_EstimateKnee/11' "$speed" part.json

# A signal: what was measured stays.
"$speed" --mode=smoke --parts=knee,index --turns=100 --output=stopped.json 2>log &
child=$!
for _ in $(seq 600); do
  [[ -s stopped.json ]] && break
  sleep 0.1
done
kill -TERM $child
wait $child
[[ $? == 143 ]] || fail "SIGTERM did not end it with 143: $(cat log)"
grep -q 'stopped.json holds what was measured' log || fail "$(cat log)"
expect 0 'not complete' "$speed" stopped.json
