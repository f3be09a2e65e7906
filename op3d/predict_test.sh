#!/bin/bash
# Tests the program //op3d:predict: what it prints, what it writes, and its exit codes.
set -u
predict=$PWD/$1
write_golden=$PWD/$2
dataset=$PWD/$3
weights=$PWD/$4
tiny=$PWD/data/synthetic/kinetics400_tiny
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

"$write_golden" dg_p3d_miniature 9 w.safetensors clip.safetensors || fail write_golden
ask=("$predict" --weights=w.safetensors --network=dg_p3d_miniature --short_side=36 --crop=32)
videos=("$tiny"/test/*.mp4)

expect 0 '^  *[0-9.]* %  up then down$' "${ask[@]}" --labels="$tiny/label_map.txt" --top=9 "${videos[0]}"
expect 0 '3 views' "${ask[@]}" "${videos[@]}"
expect 0 '"views":30,"frames":96,"top":\[{"label":' "${ask[@]}" --json --clips=10 --crops=3 "${videos[0]}"
expect 0 '2 views' "${ask[@]}" --output=out.safetensors clip.safetensors
grep -q '"logits":{"dtype":"F32","shape":\[2,9\]' out.safetensors || fail 'no logits'
grep -q '"logits.1"' out.safetensors || fail 'no logits of the second head'
expect 0 '2 views' "${ask[@]}" --precision=fp64 --output=out64.safetensors clip.safetensors
grep -q '"logits":{"dtype":"F64"' out64.safetensors || fail 'logits of fp64 are not F64'

# Features of every view, one tensor per head, and the videos' names.
expect 0 '3 views' "${ask[@]}" --features=f.safetensors "${videos[@]:0:2}"
grep -q '"features.0":{"dtype":"F32","shape":\[2,3,256\]' f.safetensors || fail 'no features'
grep -q '"features.1":{"dtype":"F32","shape":\[2,3,256\]' f.safetensors || fail 'no second features'
grep -qF "\"videos\":\"[\\\"${videos[0]}\\\",\\\"${videos[1]}\\\"]\"" f.safetensors ||
  fail 'no names'
expect 2 'clip.safetensors has 2 views, .* has 3' \
  "${ask[@]}" --features=f.safetensors "${videos[0]}" clip.safetensors

# Weights with a card need no flag; the first word may be the file.
"$weights" import w.safetensors card.safetensors --network=dg_p3d_miniature >/dev/null 2>&1 || fail import
expect 0 'weights: dg_p3d_miniature for 9 classes' "$predict" card.safetensors clip.safetensors
expect 0 '2 views' "$predict" --weights=card.safetensors clip.safetensors
expect 2 'contradicts it' "$predict" --weights=card.safetensors --network=s3dg clip.safetensors
echo 'no video' >text.mp4
expect 2 'the first word is the file of weights.*text.mp4' "$predict" text.mp4 "${videos[0]}"

# Portable arithmetic, the default, must fit what the environment asks for.
if grep -qw avx2 /proc/cpuinfo; then
  ATEN_CPU_CAPABILITY=default expect 2 'ATEN_CPU_CAPABILITY=default, and portable arithmetic needs avx2' \
    "${ask[@]}" clip.safetensors
  ATEN_CPU_CAPABILITY=default expect 0 '2 views' "${ask[@]}" --arithmetic=native clip.safetensors
fi
expect 2 "arithmetic 'fast' is none of: portable, native" "${ask[@]}" --arithmetic=fast clip.safetensors

# Weights with NaN: an error, and no percentages.
# spoil FROM TO: a copy whose last number, of F32, is NaN.
spoil() {
  cp "$1" "$2" && chmod u+w "$2" &&
    printf '\x00\x00\xc0\x7f' | dd of="$2" bs=1 seek=$(($(stat -Lc %s "$2") - 4)) conv=notrunc status=none
}
spoil w.safetensors w_nan.safetensors || fail spoil
expect 2 '(1 NaN of [0-9]* values); the training that wrote them diverged' \
  "$predict" --weights=w_nan.safetensors --network=dg_p3d_miniature clip.safetensors
spoil clip.safetensors clip_nan.safetensors || fail spoil
expect 1 'clip_nan.safetensors: 9 of the network.s 9 scores are NaN or infinite' "${ask[@]}" clip_nan.safetensors

# A file that is not a video does not stop the others.
expect 1 'text.mp4' "${ask[@]}" text.mp4 "${videos[0]}"
expect 1 '3 views' "${ask[@]}" text.mp4 "${videos[0]}"
expect 1 '1 of 2 inputs failed' "${ask[@]}" text.mp4 "${videos[0]}"
expect 2 '2 of 2 inputs failed' "${ask[@]}" text.mp4 gone.mp4

# Clips as `dataset clip` writes them: the middle 16 frames in three crops are one clip's views.
for crop in center three; do
  "$dataset" clip "${videos[0]}" --length=16 --start=40 --crop=$crop --size=32 --output=$crop.safetensors \
    >/dev/null || fail "dataset clip --crop=$crop"
done
expect 0 '1 view' "${ask[@]}" center.safetensors
expect 0 '3 views' "${ask[@]}" three.safetensors
expect 0 '3 views' "${ask[@]}" --output=three_out.safetensors three.safetensors

# Optical flow, if OpenCV is installed: its folder gives the network the same as a clip of it.
if "$dataset" flow "${videos[0]}" --output_dir=flow --short_side=32 >/dev/null 2>flow.log; then
  video=$(basename "${videos[0]}" .mp4)
  see=("$predict" --weights=w.safetensors --network=dg_p3d_miniature --short_side=32 --crop=32
    --clips=1)
  "$dataset" clip "flow/$video" --stream=flow --length=16 --start=40 --size=32 --output=flow.safetensors \
    >/dev/null || fail 'dataset clip of flow'
  expect 0 '1 view' "${see[@]}" --output=of_clip.safetensors flow.safetensors
  expect 0 '1 view' "${see[@]}" --stream=flow --output=of_folder.safetensors "flow/$video"
  cmp of_clip.safetensors of_folder.safetensors || fail 'flow of a folder is not that of its clip'
  expect 2 'holds no frames .*, but optical flow' "${see[@]}" "flow/$video"
fi
expect 2 'a video has no flow.*dataset flow' "${ask[@]}" --stream=flow "${videos[0]}"
expect 2 'none of: PICTURES, FLOW' "${ask[@]}" --stream=sound "${videos[0]}"

# Names that look like flags.
cp "${videos[0]}" ./-3B32lodo2M_000059_000069.mp4
expect 2 'is given as ./-3B32lodo2M_000059_000069.mp4, or after' "${ask[@]}" -3B32lodo2M_000059_000069.mp4
expect 0 '3 views' "${ask[@]}" ./-3B32lodo2M_000059_000069.mp4
expect 0 '3 views' "${ask[@]}" -- -3B32lodo2M_000059_000069.mp4
expect 2 '"error":".*text.mp4' "${ask[@]}" --json text.mp4

expect 2 '8 frames is too short' "${ask[@]}" --frames=8 "${videos[0]}"
expect 2 '2000000000 views of .* at most 8' "${ask[@]}" --clips=2000000000 "${videos[0]}"
expect 2 'name at least one video' "${ask[@]}"
expect 2 '9 classes apart, but .* names 1' "${ask[@]}" --labels=text.mp4 "${videos[0]}"
expect 2 'no tensor `input`' "${ask[@]}" w.safetensors
expect 2 'one input' "${ask[@]}" --output=o.safetensors "${videos[@]}"
expect 2 '--weights is missing' "$predict" "${videos[0]}"
expect 2 'of another network' "$predict" --weights=w.safetensors --network=dg_p3d_resnet18 "${videos[0]}"
expect 2 'fp32, bf16, fp64' "${ask[@]}" --precision=half "${videos[0]}"
expect 2 'fp16.* is for CUDA devices; use fp32 or bf16' "${ask[@]}" --precision=fp16 "${videos[0]}"
