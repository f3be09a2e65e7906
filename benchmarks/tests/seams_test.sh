#!/bin/bash
# Every program that reads runs accepts the files of a run: its scores in evaluate, its record
# in table, verdict, report and compare, and the runs of all splits in their mean.
set -u
program=$PWD/$1
evaluate=$PWD/$2
table=$PWD/$3
report=$PWD/$4
verdict=$PWD/$5
compare=$PWD/$6
plan=$PWD/$7
train=$PWD/$8
settings=$PWD/benchmarks/tests/testdata/tiny_search.textproto
tiny=$PWD/data/synthetic/ucf101_tiny
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

run=("$program" --benchmark=ucf101 --dataset_root="$tiny" --settings="$settings"
  --index="$PWD/index" --threads=1)

# Every split in a folder of its own, and their mean.
expect 0 'planned, mean of 3 splits\|mean of splits 1, 2, 3' "${run[@]}" --split=all --output_dir=all
for split in 1 2 3; do
  grep -q "^    split: $split\$" all/split$split/record.textproto || fail "split $split is another"
done
# The same command again finds them finished; a folder of one split is refused.
expect 0 'holds a finished run' "${run[@]}" --split=all --output_dir=all
expect 2 'holds a single run' "${run[@]}" --split=all --output_dir=all/split1
expect 2 'only one split' "$program" --benchmark=kinetics400 --dataset_root="$tiny" --split=all --dry_run
rm -r all/split3
expect 0 'run 3 of 3: split3' "${run[@]}" --split=all --output_dir=all

# Records in the table, the verdict, the report and compare.
expect 0 'UCF101 mean of splits 1, 2, 3, miniature' "$table" all/split1 all/split2/record.textproto all/split3
expect 2 'no record has both' "$verdict" all/split1
expect 0 'page/report.html' "$report" all/split1/record.textproto --output_dir=page
expect 0 'equal in every bit' "$compare" --exact all/split1 all/split1
expect 1 'differ' "$compare" all/split1 all/split2

# Scores in evaluate: a recipe's own file, a row of the run's, and both added.
own=all/split1/checkpoints/planned/scores.safetensors
top1() { "$evaluate" --json --bootstrap_samples=0 "$@" | grep -o '"top1":[0-9.]*' | cut -d: -f2; }
# The text format leaves out a 0.
recorded=$(grep -A3 '^    clips: 2$' all/split1/record.textproto | grep -o ' top1: [0-9.]*' | cut -d: -f2)
[[ $(top1 $own) == "$(top1 all/split1:planned)" ]] || fail 'a row has another top-1 than its file'
awk -v a="$(top1 $own)" -v b="${recorded:-0}" 'BEGIN { exit !(a - b < 1e-9 && b - a < 1e-9) }' ||
  fail "evaluate gives $(top1 $own), the record $recorded"
expect 0 'sum of 2 scores' "$evaluate" $own all/split1/scores.safetensors:planned
expect 0 'top-1' "$evaluate" all/split1:planned --per_video=videos.csv
grep -q '^v_Bars_g0._c01,0,Bars,' videos.csv || fail 'the scores do not name videos and classes'
expect 2 "it has no row 'x'" "$evaluate" all/split1:x
expect 2 'name one at the end' "$evaluate" all/split1
# Other videos are refused, or only common ones are used; classes are matched by name.
expect 2 'lack' "$evaluate" all/split1:planned all/split2:planned

# The mean over splits of existing scores.
expect 0 'mean over 3 splits' "$evaluate" --split=all 'all/split{split}:planned'
expect 0 '{"splits":3,' "$evaluate" --json --split=all 'all/split{split}:planned'
expect 2 'the same scores cannot be of several splits' "$evaluate" --split=all all/split1:planned
# The mean over splits of a test, with weights for each.
ask=("$evaluate" --split=all --dataset=ucf101 --dataset_root="$tiny" --index="$PWD/index"
  --network=dg_p3d_miniature --clips=1 --short_side=36 --crop=32 --bootstrap_samples=0)
expect 2 'have seen test videos of the others' "${ask[@]}" --weights=all/split1/checkpoints/planned/weights.safetensors
expect 2 'output is missing' "${ask[@]}" --weights='all/split{split}/checkpoints/planned/weights.safetensors'
expect 0 'mean over 3 splits' "${ask[@]}" \
  --weights='all/split{split}/checkpoints/planned/weights.safetensors' --output='s{split}.safetensors'
expect 0 'mean over 3 splits' "$evaluate" --split=all 's{split}.safetensors'
expect 2 'only one split' "$evaluate" --split=all --dataset=kinetics400 --dataset_root="$tiny" \
  --weights='all/split{split}/checkpoints/planned/weights.safetensors' --output='s{split}'
# A search's plan in a training, of one split and of all; their weights in the test of all.
cat >run.textproto <<'END'
dataset_name: "ucf101"
transform { train_crop: 32 min_area: 0.9 max_area: 1 search_short_side: 36 search_crop: 32
            test_short_side: 36 test_crop: 32 }
loader { frame_cache_mib: 64 on_bad_video: ERROR on_short_video: REPEAT_LAST }
network { name: "dg_p3d_miniature" }
sgd { momentum: 0.9 nesterov: true weight_decay: 1e-4 clip_norm: 40 loss_weight: 1 }
measure { videos: EVALUATION }
seed: 1
END
cat >graph.textproto <<'END'
pool: "seam" initial: "S0" finals: "B"
states { name: "A" segments: 1 frames_per_segment: 16 stride: 1 learning_rate: 0.04 batch_size: 4
         accumulation: 1 }
states { name: "B" segments: 4 frames_per_segment: 4 stride: 1 learning_rate: 0.01 batch_size: 4
         accumulation: 1 }
transitions { from: "S0" to: "A" } transitions { from: "A" to: "B" }
END
ask=(--settings=run.textproto --dataset_root="$tiny" --index="$PWD/index" --device=cpu --threads=1
  --set=dataset.classes=8)
expect 0 'path: S0 -> A -> B' "$plan" search --graph=graph.textproto --attempt_epochs=1 --max_epochs=1 \
  --max_epochs_from_initial=1 --runner="$train --serve ${ask[*]}" --output_dir=search
expect 0 'weights: trained/weights.safetensors' "$train" "${ask[@]}" --plan=search --output_dir=trained
[[ $(grep -c '^  epochs: 1$' trained/settings.textproto) == 2 ]] || fail 'another plan was trained'
expect 0 'mean over 3 splits' "$train" "${ask[@]}" --plan=search/plan.textproto --split=all \
  --output_dir=splits
# The first split is the dataset's own: the same training.
cmp <(grep -o '"loss":[^,]*' trained/log.jsonl) <(grep -o '"loss":[^,]*' splits/split1/log.jsonl) ||
  fail 'split 1 is trained otherwise than alone'
grep -q '^  split: 3$' splits/split3/settings.textproto || fail 'split 3 is another'
# Started again, it trains what is missing; a folder of one split is refused, and the split named.
rm -r splits/split2
expect 0 'after the last epoch, one centre clip of each video of the evaluation list' \
  "$train" "${ask[@]}" --plan=search --split=all --output_dir=splits
expect 2 'holds a run of one split' "$train" "${ask[@]}" --plan=search --split=all --output_dir=trained
expect 2 'was trained on split 2 of ucf101 and has seen test videos of the others' "$train" "${ask[@]}" \
  --plan=search --split=all --init=splits/split2/weights.safetensors --output_dir=longer
expect 0 'mean over 3 splits' "$train" "${ask[@]}" --plan=search --split=all --output_dir=longer \
  --init='splits/split{split}/weights.safetensors' --set=measure.every_epochs=2
expect 2 'has the splits 1 to 3' "$train" "${ask[@]}" --plan=search --split=4 --output_dir=x
expect 2 "neither the number of an official split nor 'all'" "$train" "${ask[@]}" --plan=search --split=some
expect 2 'a search is of one split' "$train" "${ask[@]}" --serve --split=all
expect 0 'mean over 3 splits' "$evaluate" --split=all --weights='splits/split{split}/weights.safetensors' \
  --dataset_root="$tiny" --index="$PWD/index" --clips=1 --output='splits/split{split}/scores.safetensors'
expect 2 'cannot open gone.safetensors' "$evaluate" gone.safetensors --dataset_root="$tiny"
echo PASSED
