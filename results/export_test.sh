#!/bin/bash
# Tests //results:export as a program: what it writes by default, and how it ends when it is used
# wrongly.
set -u
export=$PWD/$1
recorded=$PWD/results/recorded/hmdb51_miniature_split1_seed1
tiny=$PWD/data/synthetic/kinetics400_tiny
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

expect 2 '--format= is none of: model_card, eval_results, croissant' "$export" run
expect 2 '--format=html is none of' "$export" run --format=html
expect 1 'op3d writes no ONNX: LibTorch' "$export" run --format=onnx
expect 2 'use: export RUN --format=model_card|eval_results' "$export" --format=model_card
expect 2 'there is no run .*none' "$export" none --format=model_card
expect 2 'there is no .*model.safetensors; name the run.s folder' \
  "$export" "$recorded" --format=model_card
expect 2 '--dataset is missing' "$export" "$tiny" --format=croissant
expect 2 '--split has no effect with --format=model_card' \
  "$export" "$recorded" --format=model_card --split=1
expect 2 '--hub_task has no effect with --format=croissant' \
  "$export" "$tiny" --format=croissant --dataset=kinetics400 --hub_task=a
expect 2 'no_such' "$export" "$tiny" --format=croissant --dataset=no_such

cp -r "$tiny" copy && chmod -R u+w copy
expect 0 'copy/croissant.json' "$export" copy --format=croissant --dataset=kinetics400
grep -q '"conformsTo": "http://mlcommons.org/croissant/1.0"' copy/croissant.json ||
  fail "croissant.json is not Croissant"
sum=$(sha256sum <copy/kinetics400.videos.csv)
grep -q "${sum%% *}" copy/croissant.json || fail "the table has another checksum"
grep -q '^train,' copy/kinetics400.videos.csv || fail "the table has no training videos"

# Weights that no row of the record has.
mkdir run
cp "$recorded/record.textproto" run
printf '\x02\x00\x00\x00\x00\x00\x00\x00{}' >run/model.safetensors
expect 2 'which is the model of no tested row of the record' "$export" run --format=model_card
[[ ! -e run/README.md ]] || fail "a card was written"
