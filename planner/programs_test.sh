#!/bin/bash
# Tests the two programs: what they print, and their exit codes.
set -u
knee=$PWD/$1
plan=$PWD/$2
train=$PWD/$3
recorded=$PWD/$4
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

# A parabola that is highest at epoch 6.
{
  echo epoch,performance
  for epoch in $(seq 0 20); do
    echo "$epoch,$(awk "BEGIN { print 0.8 - 0.001 * ($epoch - 6) ^ 2 }")"
  done
} >curve.csv

expect 0 '^knee      epoch 6, f = 0.8$' "$knee" curve.csv
expect 0 '^stop      yes: 20 epochs' "$knee" curve.csv
expect 0 '^stop      no: 20 epochs trained, stop at 26' "$knee" curve.csv --attempt_epochs=20
expect 0 '"knee":6,"value":0.[78][0-9]*,"stop":true,"knee_interval":\[6,6\]}$' "$knee" curve.csv --json
expect 2 'one file is expected' "$knee"
expect 2 'no.csv' "$knee" no.csv
expect 2 'must be at least 1' "$knee" curve.csv --attempt_epochs=0
printf 'epoch,performance\n0,0.1\n1,nan\n' >nan.csv
expect 2 'nan.csv:3: the performance of epoch 1 is nan' "$knee" nan.csv
printf 'epoch,performance\n0,0.1\n1,-0.2\n' >negative.csv
expect 0 'warning: negative.csv:3: the performance of epoch 1 is -0.2' "$knee" negative.csv
printf 'epoch,performance\n0,0.1\n1,0.1\n3,0.2\n' >gap.csv
expect 2 'gap.csv:4: epoch 3 where epoch 2 is due' "$knee" gap.csv
# The same curve in TensorBoard's form, from step 390 on, 390 apart; and from epoch 3 on.
awk -F, 'NR == 1 { print "Wall time,Step,Value" } NR > 1 { print 1.7e9, 390 * ($1 + 1), $2 }' \
  OFS=, curve.csv >board.csv
expect 0 '^curve     steps 390 to 8190, 390 apart$' "$knee" board.csv
expect 0 '^knee      step 2730, f = 0.8$' "$knee" board.csv
expect 0 '^stop      yes: measured up to step 8190, the knee and 10 lines more' "$knee" board.csv
awk -F, 'NR == 1 || $1 >= 3' curve.csv >late.csv
expect 0 '^knee      epoch 6, f = 0.8$' "$knee" late.csv
expect 0 'stop at 26 if the knee stays' "$knee" late.csv --attempt_epochs=20

expect 0 'cs plan, 220 epochs' "$plan" show kinetics400
expect 0 'S9   64 frames / 2  lr 4e-05     18 epochs  batch 4 x 64  BatchNorm frozen' \
  "$plan" show kinetics400
expect 2 'no_such_plan' "$plan" show no_such_plan
expect 2 'no search in' "$plan" status "$TEST_TMPDIR"
expect 2 'there is no sub-command "dance"' "$plan" dance .
expect 2 'a sub-command is missing; there are search, resume, show' "$plan"
expect 2 'use: plan show FILE' "$plan" show
expect 0 '--states' "$plan" replay --help
expect 0 'Flags of status:' "$plan" status --help
"$plan" status --help | grep -e '^  --' && fail 'plan status has no flags'
expect 2 '^plan: --jobs is not a flag of plan show, but of: search, resume' "$plan" show kinetics400 --jobs=4
expect 2 '--stability is not a flag of plan status, but of: replay' "$plan" status . --stability=3
expect 2 '--graph is not a flag of plan resume, but of: search, replay' "$plan" resume . --graph=base_us

expect 2 'the released plans are activitynet_imagenet, ' "$plan" show no_such_plan
expect 2 '--videos has no effect here: it goes with --dry_run' "$plan" search --runner=true --videos=9
expect 2 '--confidence has no effect here' "$plan" search --runner=true --confidence=0.8
expect 2 '--seed has no effect here: it goes with --stability' "$plan" replay . --seed=3
expect 2 '--output is not a flag of plan explain, but of: show, replay, adapt' "$plan" explain . --output=x

# Records in the repository, as a folder or a file.
expect 0 '^path: S0 -> ' "$plan" explain "$recorded/tennis7_seed1"
expect 0 '^done$' "$plan" status "$recorded/tennis7_seed1/record.textproto"
for run in "$recorded"/{kinetics400_miniature,ucf101_5_split1_seed1}; do
  expect 0 '^value against cost' "$plan" replay "$run" --output=kept.textproto
  # The plan of the run itself: its states and epochs.
  "$plan" show kept.textproto | grep ' epochs  batch' >again.txt
  python3 - "$run/record.textproto" >want.txt <<'END' || fail "$run holds no plan"
import re, sys
text = open(sys.argv[1]).read()
plan = text[text.index("\nplan {") :]
plan = plan[: plan.index("\n}\n")]
for step in re.split(r"steps \{", plan)[1:]:
    print(re.search(r'name: "([^"]*)"', step).group(1), re.search(r"epochs: (\d+)\n? *\}", step).group(1))
END
  sed -E 's/^ +([^ ]+) .* ([0-9]+) epochs .*/\1 \2/' again.txt | cmp - want.txt ||
    fail "another plan than that of $run"
done
expect 0 '^S0-S1\|^  \* S0 ' "$plan" explain "$recorded/kinetics400_miniature/record.textproto"
cat >planless.textproto <<'END'
schema_version: 1 settings { benchmark: "x" scale: MINIATURE }
END
expect 2 'holds no search' "$plan" explain planless.textproto
expect 2 'no such file\|cannot open\|No such file' "$plan" explain none.textproto

# A search with another program: started, refused with other settings, killed and resumed.
cat >graph.textproto <<'END'
pool: "toy" initial: "S0" finals: "B"
states { name: "A" segments: 1 frames_per_segment: 16 stride: 1 learning_rate: 0.04
         batch_size: 16 accumulation: 16 }
states { name: "B" segments: 1 frames_per_segment: 32 stride: 1 learning_rate: 0.004
         batch_size: 8 accumulation: 32 }
transitions { from: "S0" to: "A" } transitions { from: "S0" to: "B" }
transitions { from: "A" to: "B" }
END
toy=(--graph=graph.textproto --attempt_epochs=2 --max_epochs=4 --max_epochs_from_initial=4)
expect 0 'search: 3 edges; epochs: 6 at least, 12 expected, 12 at worst' \
  "$plan" search "${toy[@]}" --dry_run --videos=100
expect 0 'clips: 1200 expected, 1200 at worst; frames: 32000 and 32000' \
  "$plan" search "${toy[@]}" --dry_run --videos=100
expect 0 'not known: give the training command' "$plan" search "${toy[@]}" --dry_run
dry=("$plan" search "${toy[@]}" --dry_run --output_dir=dry)
expect 0 'clips: 720 expected' "${dry[@]}" --runner="python3 $train"
expect 0 '^time: .* expected, .* at worst with 2 jobs' "${dry[@]}" --runner="python3 $train" --jobs=2
expect 0 'not known: the runner does not answer "estimate".*exit code 3' \
  "${dry[@]}" --runner='sh -c "exit 3"'
expect 2 '--videos is 0' "${dry[@]}" --videos=0
[[ ! -e dry ]] || fail "a dry run wrote a folder"
expect 2 'needs a command that trains' "$plan" search "${toy[@]}" --output_dir=toy
expect 2 'no search to resume in' "$plan" resume "$TEST_TMPDIR"
expect 0 'toy plan, ' "$plan" search "${toy[@]}" --runner="python3 $train" --output_dir=toy
expect 0 '3 of 3 edges finished' "$plan" status toy
expect 2 'has a search with other settings (there -> here): modified: rule.max_epochs: 4 -> 5' \
  "$plan" search "${toy[@]}" --max_epochs=5 --runner="python3 $train" --output_dir=toy
# The planner is killed by its own child after the first epoch, then resumed with two children.
cat >mortal.sh <<END
[ -e died ] && exec python3 $train
touch died
head -n 1 | python3 $train
kill -9 \$PPID
END
"$plan" search "${toy[@]}" --runner="sh mortal.sh" --output_dir=killed >/dev/null 2>&1
[[ $? == 137 ]] || fail "the search survived its own SIGKILL"
expect 0 '0 of 3 edges finished' "$plan" status killed
expect 0 'toy plan, ' "$plan" resume killed --jobs=2
cmp toy/plan.textproto killed/plan.textproto || fail "the plans differ"
# A plan with its search as one file.
expect 0 'toy plan, ' "$plan" show toy --output=toy.json
"$plan" show toy >shown.txt && "$plan" show toy.json | cmp - shown.txt || fail "toy.json holds another plan"
expect 0 'toy plan, ' "$plan" show toy.json --output=back.textproto
cmp toy/plan.textproto back.textproto || fail "a plan changes on its way through JSON"
"$plan" explain toy | tail -n +2 >explained.txt
"$plan" explain toy.json | tail -n +2 | cmp - explained.txt || fail "toy.json holds another search"
expect 0 'toy plan, ' "$plan" replay toy.json
expect 0 'cs plan, ' "$plan" show kinetics400 --output=k.json
expect 2 'k.json holds a plan without the search that found it' "$plan" explain k.json
# A plan for another budget and dataset.
expect 0 '^  S2 .* 54 epochs' "$plan" adapt kinetics400 --epochs=110
expect 0 '^110 epochs instead of 220: every state keeps its share$' "$plan" adapt kinetics400 --epochs=110
expect 0 'a heuristic, not measured' "$plan" adapt kinetics400 --epochs=110 --output=half.textproto
expect 0 '^cs plan, 110 epochs' "$plan" show half.textproto
grep -q 'not searched or measured; from: released' half.textproto || fail "an adapted plan does not say so"
expect 0 'nothing had to be changed' "$plan" adapt kinetics400 --dataset=ucf101
mkdir -p own/media/a
for n in $(seq 40); do
  touch "own/media/a/$n.mp4"
  echo "a/$n.mp4 0"
done >own/train.txt
cat >own/dataset.textproto <<'END'
name: "own" classes: 1 format: PATH_LABEL train { list: "train.txt" media: "media" }
evaluation { list: "train.txt" media: "media" }
END
for own in own own/dataset.textproto; do
  expect 0 '^S1: 4 clips a step instead of 256, so the rate is 0.000625 instead of 0.04$' \
    "$plan" adapt kinetics400 --dataset="$own"
done
expect 0 '^S1: 128 clips a step instead of 256' "$plan" adapt kinetics400 --clips_per_step=128
expect 2 'nothing to adapt the plan to' "$plan" adapt kinetics400
expect 2 '4 epochs are fewer than the plan.s 5 steps' "$plan" adapt kinetics400 --epochs=4
expect 2 '^plan: --dataset: .*nowhere' "$plan" adapt kinetics400 --dataset=nowhere
expect 2 '^plan: --dataset: there is no .*own/media/dataset.textproto' "$plan" adapt kinetics400 --dataset=own/media
expect 2 '--epochs is not a flag of plan show, but of: adapt' "$plan" show kinetics400 --epochs=4
# Planning again, over the search and over edges from a file.
expect 0 'toy plan, ' "$plan" replay toy
expect 0 'value against cost' "$plan" replay toy --attempt_epochs=1 --stability=20
expect 0 'the best plan within the budget of 1000000 frames' "$plan" replay toy --budget=1000000
expect 2 'the cheapest costs' "$plan" replay toy --budget=1
expect 2 'none of: knee, knee_interval, plateau' "$plan" replay toy --stopping=never
expect 2 'no state "Z"' "$plan" replay toy --states=Z
expect 0 'path: S0 -> B' "$plan" replay toy --states=B
cat >edges.json <<'END'
{"edges": [{"from": "S0", "to": "A", "epochs": 5, "score": 0.5},
           {"from": "S0", "to": "B", "epochs": 4, "score": 0.6}]}
END
expect 0 'never trained, so not used: A-B' "$plan" replay edges.json --graph=graph.textproto
expect 2 'say which graph' "$plan" replay edges.json
# States are compared by content, and a plan found again can be passed to other programs.
sed 's/"B"/"other"/g' graph.textproto >renamed.textproto
expect 0 '^path: S0 -> other$' "$plan" replay toy --graph=renamed.textproto --output=plan.textproto
expect 0 '^  other 32 frames ' "$plan" show plan.textproto
sed 's/learning_rate: 0.04$/learning_rate: 0.02/' graph.textproto >slower.textproto
expect 0 'A (16 frames a clip, rate 0.02, 256 clips an update) is not in the record, whose A is an' \
  "$plan" replay toy --graph=slower.textproto
expect 0 'learning_rate: 0.04 -> 0.02)' "$plan" replay toy --graph=slower.textproto
expect 0 'never trained, so not used: S0-A, A-B' "$plan" replay toy --graph=slower.textproto
sed 's/stride: 1/stride: 2/' graph.textproto >strides.textproto
expect 2 'B (32 frames a clip, rate 0.004, 256 clips an update) is not in the record' \
  "$plan" replay toy --graph=strides.textproto --output=none.textproto
[[ ! -e none.textproto ]] || fail "a replay without a plan wrote one"
# Every rule that --stopping knows, as its message names them.
rules=$("$plan" replay toy --stopping=never 2>&1 | sed -n 's/.*is none of: //p' | tr -d ,)
[[ $rules == knee\ * ]] || fail "the stopping rules are not named: $rules"
for rule in $rules; do
  expect 0 'toy plan, ' "$plan" search "${toy[@]}" --runner="python3 $train" --output_dir="$rule" \
    --stopping="$rule"
done
for jobs in 1 2 3; do
  expect 0 'toy plan, ' "$plan" search "${toy[@]}" --runner="python3 $train" --output_dir="race$jobs" \
    --race --jobs="$jobs"
  cmp race1/plan.textproto "race$jobs/plan.textproto" || fail "--race: $jobs jobs find another plan"
done

# Bad input gives one message each, and nothing is written or overwritten.
sed 's/from: "A" to: "B"/from: "A" to: "Z"/' graph.textproto >unknown.textproto
expect 2 'the edge A-Z names the state "Z"' \
  "$plan" search --graph=unknown.textproto --runner=true --output_dir=unknown
sed 's/from: "A" to: "B"/& } transitions { from: "B" to: "A"/' graph.textproto >cyclic.textproto
expect 2 'the graph has a cycle, A -> B -> A' \
  "$plan" search --graph=cyclic.textproto --runner=true --output_dir=unknown
[[ ! -e unknown ]] || fail "a refused graph left a folder"
# A child that fails for edges whose name matches $BAD, with a performance of $NUMBER.
cat >failing.sh <<'END'
while read -r line; do
  epoch=${line#*\"epoch\":} edge=${line#*\"edge\":\"}
  epoch=${epoch%%,*} edge=${edge%%\"*} performance=0.$((10 + epoch))
  case "$edge" in $BAD) performance=$NUMBER ;; esac
  echo "{\"epoch\": $epoch, \"performance\": $performance}"
done
END
export BAD NUMBER
for NUMBER in NaN -0.5; do
  BAD='S0-A'
  expect 0 'S0-A: failed: epoch 1: the performance is ' \
    "$plan" search "${toy[@]}" --output_dir=bad --runner="sh $PWD/failing.sh"
  expect 0 'A is reached by no edge: S0-A failed; A-B is not trained' "$plan" status bad
  expect 0 '^best plan: value 0.14.*S0 -> B (4 epochs)' "$plan" status bad
  expect 0 '^    A        not trained: no edge reaches A' "$plan" explain bad
  expect 0 '^failed, so not used: S0-A' "$plan" replay bad
  [[ ! -e bad/journal/toy/S0-A ]] || fail "the weights of a failed edge stay"
  rm -r bad
  BAD='S0-?'
  for try in search resume; do
    expect 1 'no final state (B) is reached, so there is no plan: S0-A: epoch 1: the performance' \
      "$plan" search "${toy[@]}" --output_dir=bad --runner="sh $PWD/failing.sh"
  done
  expect 0 '3 of 3 edges finished (0 at the bound, 2 failed, 1 not reached)' "$plan" status bad
  rm -r bad
done
cp -r toy before
rm toy/search.textproto
expect 2 'holds searches, but there is no .*search.textproto' \
  "$plan" search "${toy[@]}" --runner="python3 $train" --output_dir=toy
sed 's/max_epochs: 4/max_epochs: 5/' before/search.textproto >toy/search.textproto
expect 2 'holds a search with other settings (there -> here): modified: rule.max_epochs: 4 -> 5' \
  "$plan" resume toy
cp before/search.textproto toy
diff -r --exclude=journal.jsonl.lock before toy || fail "a refused search changed something"
expect 0 '^weights: .*/toy/journal/toy/' "$plan" resume toy
mv toy/journal/toy/*-B .
expect 0 'warning: the plan is complete, but its weights are missing: there is no folder' "$plan" resume toy
# The planner is killed by its own child in the middle of A-B; then somebody removes weights.
cat >mortal.sh <<END
while read -r line; do
  case "\$line" in
    *'"epoch":2,"edge":"A-B"'*) [ -e died2 ] || { touch died2; kill -9 \$PPID; exit; } ;;
  esac
  printf '%s\n' "\$line" | python3 $train
done
END
"$plan" search "${toy[@]}" --runner="sh mortal.sh" --output_dir=robbed >/dev/null 2>&1
[[ $? == 137 ]] || fail "the search survived its own SIGKILL"
mv robbed/journal/toy/A-B .
expect 2 'A-B, epoch 2: the weights trained so far are gone' "$plan" resume robbed
mv A-B robbed/journal/toy
mv robbed/journal/toy/S0-A .
expect 2 'A-B, epoch 2: the weights to start from are gone' "$plan" resume robbed
mv S0-A robbed/journal/toy
expect 0 'toy plan, ' "$plan" resume robbed
cmp before/plan.textproto robbed/plan.textproto || fail "the plans differ"

# A wide graph, described by a few numbers, searched in rounds by the same program.
cat >wide.textproto <<END
clips { name: "cs16" segments: 1 frames_per_segment: 16 stride: 1 learning_rate: 0.1 batch_size: 4 accumulation: 1 }
clips { name: "cs32" segments: 1 frames_per_segment: 32 stride: 1 learning_rate: 0.1 batch_size: 4 accumulation: 1 }
rates: [1, 0.5]
frames: 640
stages { edges: 4 weight: 1 }
stages { edges: 2 states: 2 weight: 2 }
stages { edges: 1 states: 1 weight: 2 }
END
wide=(--graph=wide.textproto --runner="python3 $train")
expect 0 'wide plan, ' "$plan" search "${wide[@]}" --output_dir=wide
[[ $(grep -c '"finished"' wide/journal/wide/journal.jsonl) == 7 ]] || fail 'not 4 + 2 + 1 edges were trained'
[[ $(ls -d wide/journal/wide/*.end | wc -l) == 1 ]] || fail 'more than one final state has weights'
expect 0 'wide plan, ' "$plan" search "${wide[@]}" --budget=960 --output_dir=wider
expect 0 'wide plan, ' "$plan" search "${wide[@]}" --budget=2.5x --output_dir=plans
expect 0 'rank correlation of 7 edges measured in both' "$plan" agree wide wide
expect 0 'the first one.s plan ends in' "$plan" agree wide wider
expect 2 'cannot open nowhere' "$plan" agree wide nowhere
expect 2 'a frame takes with this runner is not known' \
  "$plan" search "${wide[@]}" --budget=20min --output_dir=narrow
expect 2 'raise the budget, or have fewer edges' \
  "$plan" search "${wide[@]}" --budget=60 --output_dir=narrow
expect 2 '--budget goes with wide graphs' \
  "$plan" search "${toy[@]}" --runner="python3 $train" --budget=60 --output_dir=narrow
