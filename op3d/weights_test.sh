#!/bin/bash
# Tests the program //op3d:weights: what it prints, what it writes, and its exit codes.
set -u
weights=$PWD/$1
write_golden=$PWD/$2
golden=$PWD/op3d/network/weights/testdata
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

expect 0 'tiny_tar.pth: tar, 12 tensors' "$weights" inspect "$golden/tiny_tar.pth"
expect 0 '"dtype":"BF16"' "$weights" inspect "$golden/tiny_zip.pth" --json
expect 0 '^epoch  *= 58$' "$weights" inspect "$golden/tiny_zip.pth"
expect 0 '^total  *50382288  *23627784192' "$weights" inspect --network=dg_p3d_resnet50
expect 0 '"stage":"layer4_dual","parameters":18903424' \
  "$weights" inspect --network=dg_p3d_resnet50 --json
expect 2 '8 frames is too short' "$weights" inspect --network=dg_p3d_resnet50 --frames=8
expect 2 "no network 'resnet'" "$weights" inspect --network=resnet
expect 2 '--classes is not a flag of weights compare, but of: inspect, import, export' \
  "$weights" compare a b --classes=3
expect 2 '--tolerance is not a flag of weights inspect, but of: compare' \
  "$weights" inspect --network=dg_p3d_resnet50 --tolerance=1

expect 2 '1000000000x224 is too large' \
  "$weights" inspect --network=dg_p3d_resnet50 --height=1000000000

# Parameters and multiply-adds per clip, for 400 classes.
expect 0 '^total  *74963472  *41099288576' "$weights" inspect --network=dg_p3d_resnet101
expect 0 '^total  *28128272  *20231782400' "$weights" inspect --network=p3d_resnet50
expect 0 '^total  *74963472  *214689210368' \
  "$weights" inspect --network=dg_p3d_resnet101 --frames=64 --height=256 --width=256

# Exported and imported again, every weight is the same; classes are those of the file.
"$write_golden" dg_p3d_miniature 9 w.safetensors clip.safetensors || fail write_golden
expect 0 'for 9 classes' "$weights" export w.safetensors w.pt --network=dg_p3d_miniature
expect 0 'equal: 155 tensors' "$weights" compare w.safetensors w.pt
expect 0 '^fc .* 9x1x1x1$' "$weights" inspect w.pt --network=dg_p3d_miniature
expect 0 '^mapped 155:$' "$weights" import w.pt back.safetensors --network=dg_p3d_miniature
expect 0 'equal: 155 tensors' "$weights" compare w.safetensors back.safetensors
# The file's card is kept in both directions.
expect 0 '^op3d.model  *= dg_p3d_miniature for 9 classes' "$weights" inspect w.pt
expect 0 '^op3d.model  *= dg_p3d_miniature for 9 classes' "$weights" inspect back.safetensors
expect 0 'TorchScript of dg_p3d_miniature for 9 classes' "$weights" export back.safetensors again.pt
expect 0 'equal: 155 tensors' "$weights" compare again.pt w.pt
expect 2 '--network=p3d_resnet18 contradicts it' \
  "$weights" export back.safetensors x.pt --network=p3d_resnet18
sed 's/classes: 9/classes: 8/' back.safetensors >lie.safetensors
expect 2 'says 8 classes, but fc.weight has 9 rows' "$weights" export lie.safetensors x.pt
sed 's/classes: 9/classes: x/' back.safetensors >lie.safetensors
expect 2 'lie.safetensors: metadata op3d.model' "$weights" export lie.safetensors x.pt
expect 2 '--network is missing' "$weights" export w.safetensors x.pt
expect 2 'those of another network' "$weights" export w.safetensors x.pt --network=p3d_resnet18
expect 1 'op3d writes no ONNX' "$weights" export back.safetensors x.onnx
[[ ! -e x.pt && ! -e x.onnx ]] || fail "a refused export left a file"

# The same weights in three formats.
for format in zip legacy; do
  expect 0 'tensors from a file of format' "$weights" import "$golden/tiny_$format.pth" "$format.safetensors"
done
expect 0 'equal: 21 tensors' "$weights" compare zip.safetensors legacy.safetensors
expect 1 'only in the second' "$weights" compare "$golden/tiny_tar.pth" zip.safetensors

expect 2 'asks for posix.system' "$weights" import "$golden/evil_reduce_zip.pth" evil.safetensors
expect 1 'damaged' "$weights" import "$golden/broken_truncated_zip.pth" evil.safetensors
expect 2 'those of another network\|does not fit' \
  "$weights" import "$golden/tiny_zip.pth" evil.safetensors --network=dg_p3d_resnet50
[[ ! -e PWNED && ! -e evil.safetensors ]] || fail "a refused file left a file"

# Other objects in training programs' files are ignored; a model saved whole says what to do.
for name in objects_zip objects_zip_5 objects_stream; do
  expect 0 '5 tensors from a file of format' "$weights" import "$golden/$name.pth" $name.safetensors
  expect 0 '^args  *= argparse.Namespace, ignored$' "$weights" inspect "$golden/$name.pth"
done
expect 0 'equal: 5 tensors' "$weights" compare objects_zip.safetensors objects_stream.safetensors
expect 2 'no tensor that can be read.*torch.save(model.state_dict()' \
  "$weights" import "$golden/whole_model_zip.pth" whole.safetensors
expect 2 'were ignored: my_project.model.Net' \
  "$weights" import "$golden/whole_model_zip.pth" whole.safetensors --network=dg_p3d_miniature

# A NaN.
cp w.safetensors w_nan.safetensors && chmod u+w w_nan.safetensors
printf '\x00\x00\xc0\x7f' |
  dd of=w_nan.safetensors bs=1 seek=$(($(stat -c %s w_nan.safetensors) - 4)) conv=notrunc status=none
for command in import export; do
  expect 2 '(1 NaN of [0-9]* values)' \
    "$weights" $command w_nan.safetensors nan.pt --network=dg_p3d_miniature
done

expect 2 'cannot open nothing' "$weights" compare nothing zip.safetensors
expect 2 'use: weights import' "$weights" import zip.safetensors
expect 2 'there is no sub-command "frob"; there are inspect' "$weights" frob
expect 2 'a sub-command is missing' "$weights"
expect 0 'weights inspect FILE' "$weights" --help
