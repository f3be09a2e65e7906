#!/bin/bash
# What a run leaves goes into every program that reads runs: its scores into evaluate, its record
# into table, verdict, report and compare, and the runs of all splits into their mean.
set -u
program=$PWD/$1
evaluate=$PWD/$2
table=$PWD/$3
report=$PWD/$4
verdict=$PWD/$5
compare=$PWD/$6
settings=$PWD/benchmarks/testdata/tiny_search.textproto
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
# The same again finds them done; a folder of one split is refused.
expect 0 'holds a finished run' "${run[@]}" --split=all --output_dir=all
expect 2 'holds a run of one split' "${run[@]}" --split=all --output_dir=all/split1
expect 2 'one split alone' "$program" --benchmark=kinetics400 --dataset_root="$tiny" --split=all --dry_run
rm -r all/split3
expect 0 'split 3 of 3' "${run[@]}" --split=all --output_dir=all

# Records into the table, the verdict, the report and compare.
expect 0 'UCF101 mean of splits 1, 2, 3, miniature' "$table" all/split1 all/split2/record.textproto all/split3
expect 2 'no record has both' "$verdict" all/split1
expect 0 'page/report.html' "$report" all/split1/record.textproto --output_dir=page
expect 0 'equal in every bit' "$compare" --exact all/split1 all/split1
expect 1 'differ' "$compare" all/split1 all/split2

# Scores into evaluate: a recipe's own file, a row of the run's, and both added.
own=all/split1/checkpoints/planned/scores.safetensors
top1() { "$evaluate" --json --bootstrap_samples=0 "$@" | grep -o '"top1":[0-9.]*' | cut -d: -f2; }
# Text format leaves a 0 out.
recorded=$(grep -A3 '^    clips: 2$' all/split1/record.textproto | grep -o ' top1: [0-9.]*' | cut -d: -f2)
[[ $(top1 $own) == "$(top1 all/split1:planned)" ]] || fail 'a row has another top-1 than its file'
awk -v a="$(top1 $own)" -v b="${recorded:-0}" 'BEGIN { exit !(a - b < 1e-9 && b - a < 1e-9) }' ||
  fail "evaluate gives $(top1 $own), the record $recorded"
expect 0 'sum of 2 scores' "$evaluate" $own all/split1/scores.safetensors:planned
expect 0 'top-1' "$evaluate" all/split1:planned --per_video=videos.csv
grep -q '^v_Bars_g0._c01,0,Bars,' videos.csv || fail 'the scores do not name videos and classes'
expect 2 "it has no row 'x'" "$evaluate" all/split1:x
expect 2 'name one at the end' "$evaluate" all/split1
# Other videos are refused, or what is common is taken; classes are matched by name.
expect 2 'lack' "$evaluate" all/split1:planned all/split2:planned

# The mean over splits of scores that are there.
expect 0 'mean over 3 splits' "$evaluate" --split=all 'all/split{split}:planned'
expect 0 '{"splits":3,' "$evaluate" --json --split=all 'all/split{split}:planned'
expect 2 'the same scores cannot be of several splits' "$evaluate" --split=all all/split1:planned
# The mean over splits of a test, with weights of each.
ask=("$evaluate" --split=all --dataset=ucf101 --dataset_root="$tiny" --index="$PWD/index"
  --network=dg_p3d_miniature --clips=1 --short_side=36 --crop=32 --bootstrap_samples=0)
expect 2 'have seen test videos of the others' "${ask[@]}" --weights=all/split1/checkpoints/planned/weights.safetensors
expect 2 'output is missing' "${ask[@]}" --weights='all/split{split}/checkpoints/planned/weights.safetensors'
expect 0 'mean over 3 splits' "${ask[@]}" \
  --weights='all/split{split}/checkpoints/planned/weights.safetensors' --output='s{split}.safetensors'
expect 0 'mean over 3 splits' "$evaluate" --split=all 's{split}.safetensors'
expect 2 'one split alone' "$evaluate" --split=all --dataset=kinetics400 --dataset_root="$tiny" \
  --weights='all/split{split}/checkpoints/planned/weights.safetensors' --output='s{split}'
echo PASSED
