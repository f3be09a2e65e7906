#!/bin/bash
# Tests //data:dataset as a program: how index, check, transcode and inspect end when some of their
# input cannot be used.
set -u
dataset=$PWD/$1
tiny=$PWD/data/synthetic/kinetics400_tiny
source "$PWD/tools/expect.sh"
cd "$TEST_TMPDIR" || exit 1

videos=("$tiny"/test/*.mp4)
mkdir root
cp "${videos[0]}" root/a.mp4
cp "${videos[1]}" root/b.mp4
printf 'a.mp4 0\n' >root/train.txt
printf 'b.mp4 1\n' >root/test.txt
cat >own.textproto <<'END'
name: "own" classes: 2 format: PATH_LABEL
train { list: "train.txt" media: "." }
evaluation { list: "test.txt" media: "." }
END
own=(root --dataset=own.textproto)
expect 2 '--crf is not a flag of dataset index, but of: transcode' "$dataset" index "${own[@]}" --crf=3
expect 2 '--crf is not a flag of dataset index, but of: transcode' "$dataset" index "${own[@]}" --crf=20
expect 2 '--length is not a flag of dataset index, but of: clip' "$dataset" index "${own[@]}" --length=3
expect 2 '--threads is not a flag of dataset inspect, but of: index, check, transcode, pack, flow, synthesize' \
  "$dataset" inspect root/a.mp4 --threads=2
expect 2 '--threads is -1; it must be in \[0, 1024\]' "$dataset" index "${own[@]}" --threads=-1
expect 2 '--split is not a flag of dataset inspect, but of: index, check, transcode, pack' \
  "$dataset" inspect root/a.mp4 --split=2

# All inputs are good.
expect 0 'train: 1 of 1 listed videos can be used' "$dataset" index "${own[@]}"
expect 0 '2 videos read, .* 0 videos have errors' "$dataset" check "${own[@]}"
expect 0 '2 videos written, 0 were there, 0 cannot' "$dataset" transcode "${own[@]}" \
  --output_dir=whole
expect 0 'frames' "$dataset" inspect root/a.mp4 root/b.mp4

# Each flag has one name, and its other names still work.
expect 0 'one.safetensors' "$dataset" clip root/a.mp4 --frames=2 --size=16 --output=one.safetensors
expect 0 'two.safetensors' "$dataset" clip root/a.mp4 --length=2 --size=16 --out=two.safetensors
cmp one.safetensors two.safetensors || fail '--length is not --frames'
expect 2 '--output_dir is not a flag of dataset clip, but of: frames, transcode, pack, flow, synthesize, list' \
  "$dataset" clip root/a.mp4 --output_dir=x
expect 2 'clip writes a file: give it as --output' "$dataset" clip root/a.mp4
expect 2 'transcode writes a folder: give it as --output_dir=DIR' \
  "$dataset" transcode "${own[@]}"
# A pack: decoded pictures; the same frames as the source resized once, by all commands.
expect 2 'a pack has pictures of one size: give --short_side=N' "$dataset" pack "${own[@]}" --out=pack
expect 0 '2 videos written, 0 were there, 0 cannot' "$dataset" pack "${own[@]}" --short_side=32 \
  --output_dir=pack
expect 0 '0 videos written, 2 were there, 0 cannot' "$dataset" pack "${own[@]}" --short_side=32 \
  --output_dir=pack
expect 2 'pack was made with other options' "$dataset" pack "${own[@]}" --short_side=48 \
  --output_dir=pack
pack=(pack --dataset=own.textproto)
expect 0 'train: 1 of 1 listed videos can be used' "$dataset" index "${pack[@]}"
expect 0 '2 videos read, .* 0 videos have errors' "$dataset" check "${pack[@]}"
expect 0 'frame_000003.png' "$dataset" frames root/a.mp4 --indices=3 --size=32 --output_dir=source
expect 0 'frame_000003.png' "$dataset" frames pack/a.packed --indices=3 --output_dir=packed
cmp source/frame_000003.png packed/frame_000003.png || fail 'a packed frame is not the source resized'
expect 0 '42x32, packed' "$dataset" inspect pack/a.packed
printf 'x' | dd of=pack/a.packed bs=1 seek=5000 conv=notrunc status=none
expect 1 'a.mp4: frames that do not decode: 0' "$dataset" check "${pack[@]}"
truncate -s 6000 pack/a.packed
expect 1 'a.packed has 6000 bytes instead of' "$dataset" inspect pack/a.packed
expect 0 '1 videos written, 1 were there, 0 cannot' "$dataset" pack "${own[@]}" --short_side=32 \
  --output_dir=pack
expect 2 'transcode: --out is another name of --output_dir; give one' \
  "$dataset" transcode "${own[@]}" --out=x --output_dir=y
expect 2 'own has only one split' "$dataset" index "${own[@]}" --split=2
expect 2 'ucf101 has the splits 1 to 3' "$dataset" index root --dataset=ucf101 --split=4

# A video in both lists and a missing one are reported, but stop nothing.
printf 'b.mp4 1\na.mp4 0\ngone.mp4 0\n' >root/test.txt
expect 0 'note: 1 of 2 videos of the evaluation list are in the training list too' \
  "$dataset" index "${own[@]}"
expect 0 '1 listed videos are not there' "$dataset" check "${own[@]}"

# A miniature under its dataset's own name: the classes come from the lists.
mini=("$tiny" --dataset=kinetics400 --index=mini.index)
expect 0 'note: .*kinetics-400_val.csv has 9 classes, but kinetics400 has 400' \
  "$dataset" index "${mini[@]}"
expect 0 ' videos written, 0 were there, 0 cannot' \
  "$dataset" transcode "${mini[@]}" --form=frames --out=mini

# A folder of the user's own videos without lists.
mkdir -p 'phone/Hüpfen' 'phone/side walk'
cp root/a.mp4 'phone/side walk/VID (1).mp4'
cp root/a.mp4 'phone/side walk/b.MOV'
cp root/b.mp4 'phone/Hüpfen/IMG 1.mp4'
cp root/b.mp4 'phone/Hüpfen/IMG 2.mp4'
echo holiday >'phone/side walk/notes.txt'
expect 0 "passed over: side walk/notes.txt: its name does not end like a video's" "$dataset" list phone
expect 0 'train: 2 of 2 listed videos can be used' \
  "$dataset" index phone --dataset=phone/dataset.textproto
expect 2 'is there already' "$dataset" list phone

# Shards of WebDataset: listed, indexed, checked and copied without unpacking them.
mkdir in shards
for i in 1 2; do cp root/a.mp4 "in/$i.mp4" && echo sit >"in/$i.cls"; done
for i in 3 4; do cp root/b.mp4 "in/$i.mp4" && echo run >"in/$i.cls"; done
tar -C in -cf shards/train-000.tar .
expect 0 '2 classes, 2 videos to train on, 2 to test on' "$dataset" list shards
shards=(shards --dataset=shards/dataset.textproto)
expect 0 'evaluation: 2 of 2 listed videos can be used' "$dataset" index "${shards[@]}"
expect 0 '4 videos read, .* 0 videos have errors' "$dataset" check "${shards[@]}"
expect 0 '4 videos written, 0 were there, 0 cannot' \
  "$dataset" transcode "${shards[@]}" --output_dir=unpacked
expect 0 'three.safetensors' "$dataset" clip shards/train-000.tar/1.mp4 --frames=2 --size=16 \
  --output=three.safetensors
cmp one.safetensors three.safetensors || fail 'a member of a tar gives another clip than the file'
expect 2 'the tar has no such member' "$dataset" inspect shards/train-000.tar/9.mp4

# The same videos from a server: refused until its host is allowed.
mkdir far
/usr/bin/python3 -u -m http.server 0 --bind 127.0.0.1 >server.log 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do
  host=$(sed -n 's|^Serving HTTP on .*(http://\(.*\)/).*|\1|p' server.log)
  [[ -n $host ]] && break
  sleep 0.1
done
printf '%s 0\n' "http://$host/root/a.mp4" "http://$host/shards/train-000.tar/2.mp4" >far/train.txt
printf '%s 1\n' root/b.mp4 root/gone.mp4 >far/test.txt
for allowed in '' 'other.example.org' "$host"; do
  hosts=
  [[ -n $allowed ]] && hosts="allowed_hosts: \"$allowed\""
  cat >far.textproto <<END
name: "far" classes: 2 format: PATH_LABEL
train { list: "train.txt" media: "." }
evaluation { list: "http://$host/far/test.txt" media: "http://$host" }
remote { tries: 1 cache_folder: "$PWD/cache" $hosts }
END
  far=(far --dataset=far.textproto)
  case $allowed in
    '') expect 2 'remote data is off' "$dataset" index "${far[@]}" ;;
    other*) expect 1 'is not allowed; allowed: other.example.org' "$dataset" index "${far[@]}" ;;
  esac
done
grep -q GET server.log && fail 'a host was asked that is not allowed'
expect 0 'train: 2 of 2 listed videos can be used' "$dataset" index "${far[@]}"
expect 0 '1 missing, 0 broken' "$dataset" index "${far[@]}"
expect 0 '3 videos read, .* 0 videos have errors' "$dataset" check "${far[@]}"
expect 2 'is a URL: a copy has the same lists' "$dataset" transcode "${far[@]}" --output_dir=near
kill $server && trap - EXIT
# What is in the cache needs no server.
expect 1 'gone.mp4: cannot connect to 127.0.0.1' "$dataset" check "${far[@]}"
expect 1 '1 of 4 videos have errors' "$dataset" check "${far[@]}"

# Optical flow, if OpenCV is installed; and a clip of it as the network gets it.
if "$dataset" flow "${own[@]}" --output_dir=flow 2>flow.log; then
  expect 0 '0 videos written, 2 were there, 0 cannot' "$dataset" flow "${own[@]}" --output_dir=flow
  expect 2 'was made with other options' "$dataset" flow "${own[@]}" --output_dir=flow --bound=10
  expect 2 'form is frames or lmdb' "$dataset" flow "${own[@]}" --output_dir=x --form=video
  flow=(flow --dataset=own.textproto --stream=flow)
  expect 0 'train: 1 of 1 listed videos can be used' "$dataset" index "${flow[@]}"
  expect 0 '2 videos read, .* 0 videos have errors' "$dataset" check "${flow[@]}"
  [[ $("$dataset" inspect root/a.mp4 --json | tr , '\n' | grep '"frames"') == \
    $("$dataset" inspect flow/a --stream=flow --json | tr , '\n' | grep '"frames"') ]] ||
    fail 'flow has other frames than its video'
  expect 0 'c.safetensors' \
    "$dataset" clip flow/a --stream=flow --frames=4 --size=16 --crop=random --output=c.safetensors
  expect 0 'frame_000003.png' \
    "$dataset" frames flow/a --stream=flow --indices=3 --output_dir=looked
  expect 0 'loose/a$' "$dataset" flow root/a.mp4 --output_dir=loose
  cmp loose/a/000003_c1.jpg flow/a/000003_c1.jpg || fail 'another flow of the file alone'
  expect 2 'loose/a is there already' "$dataset" flow root/a.mp4 --output_dir=loose
  expect 2 'holds no frames .*, but optical flow' "$dataset" inspect flow/a
  expect 2 'is optical flow already.*dataset flow --short_side=N' "$dataset" transcode "${flow[@]}" --output_dir=again
else
  expect 1 'apt-get install libopencv-video-dev' "$dataset" flow "${own[@]}" --output_dir=flow
fi
expect 0 'small/b.mp4$' "$dataset" transcode root/a.mp4 root/b.mp4 --output_dir=small --short_side=32
cp root/a.mp4 phone/b.mp4
expect 1 'phone/b.mp4 would get the name of root/b.mp4' \
  "$dataset" transcode root/b.mp4 phone/b.mp4 --output_dir=twice
expect 2 'none of: dis, farneback.*installs 70 more packages' "$dataset" flow "${own[@]}" --output_dir=x --method=tvl1
expect 2 'has no flow' "$dataset" inspect root/a.mp4 --stream=flow
expect 2 "'colour' is none of: PICTURES, FLOW" "$dataset" inspect root/a.mp4 --stream=colour

# Some inputs are bad.
echo 'no video' >root/broken.mp4
printf 'b.mp4 1\nbroken.mp4 0\n' >root/test.txt
expect 0 'broken: broken.mp4: ' "$dataset" index "${own[@]}"
expect 1 '1 of 3 videos have errors; see above' "$dataset" check "${own[@]}"
expect 1 '1 of 3 videos were not copied; see the errors above' \
  "$dataset" transcode "${own[@]}" --out=part
expect 1 '1 of 2 files cannot be read; see the errors above' \
  "$dataset" inspect root/a.mp4 root/broken.mp4
printf 'a.mp4 0\na.mp4 1\n' >root/test.txt
expect 1 "the list 'evaluation' cannot be used: .*test.txt:2: .*in line 1" \
  "$dataset" index "${own[@]}"
expect 1 "the list 'evaluation' cannot be used" "$dataset" check "${own[@]}"
expect 1 "the list 'evaluation' cannot be used" "$dataset" transcode "${own[@]}" --out=one

# All inputs are bad.
printf 'a.mp4 0\na.mp4 1\n' >root/train.txt
expect 2 'train.txt:2: ' "$dataset" index "${own[@]}"
expect 2 'train.txt:2: ' "$dataset" check "${own[@]}"
expect 2 'gone.mp4' "$dataset" inspect gone.mp4
expect 2 'is given as ./-a.mp4' "$dataset" inspect -a.mp4
exit 0
