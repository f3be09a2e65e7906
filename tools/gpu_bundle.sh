#!/bin/bash
# Packs the GPU's checks and benchmarks with every library that they need, except LibTorch's, for a machine that
# has PyTorch 2.11's wheels and a driver, but no Bazel, FFmpeg, Protobuf or Abseil:
#
#   tools/gpu_bundle.sh [OUTPUT.tar.xz]       # default: gpu_check.tar.xz
#   # there: tar xf gpu_check.tar.xz && gpu_check/gpu_check.sh
#
# Needs the CUDA toolkit (CUDA_HOME) and builds with --config=cuda.  At the end the bundle is started here: it must
# get as far as a GPU, or say that there is none (docs/gpu.md).
set -eu
cd "$(dirname "$0")/.."
output=$(realpath -m "${1:-gpu_check.tar.xz}")
most_bytes=$((60 << 20))

fail() {
  echo "gpu_bundle: $*" >&2
  exit 1
}
./bazelw build ${BUILD_FLAGS:-} --config=cuda //op3d/gpu/check:gpu_check
# Dereferenced: another build moves the links.
program=$(realpath .bazel/bin/op3d/gpu/check/gpu_check)
work=$(mktemp -d "${TMPDIR:-/tmp}/gpu_bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
bundle=$work/gpu_check
mkdir -p "$bundle"/{bin,lib,peers}
cp "$program" "$bundle/bin/gpu_check"

# The libraries of this machine, without glibc and the compiler's (any newer ones will do) and without those of
# PyTorch's wheels.
ldd "$bundle/bin/gpu_check" | awk '$3 ~ /^\// {print $1, $3}' | while read -r name path; do
  case $name in
    libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libstdc++.so* | libgcc_s.so*) continue ;;
    libtorch* | libc10* | libcud* | libcu*.so* | libnv* | libnccl* | libgomp* | libshm*) continue ;;
  esac
  cp -L "$path" "$bundle/lib/$name"
done

# The program looks for libraries in lib/ instead of this machine's folders.
python3 - "$bundle/bin/gpu_check" <<'PYTHON'
import os, re, subprocess, sys
path = sys.argv[1]
text = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
old = re.search(r"\((?:RPATH|RUNPATH)\)\s+Library r\w+: \[(.*)\]", text).group(1).encode()
with open(path, "rb") as file:
    data = file.read()
assert data.count(old + b"\0") == 1
os.chmod(path, 0o755)
with open(path, "wb") as file:
    file.write(data.replace(old + b"\0", b"$ORIGIN/../lib".ljust(len(old) + 1, b"\0")))
PYTHON

./bazelw build ${BUILD_FLAGS:-} //data:dataset //data/synthetic:kinetics400_miniature
python3 op3d/gpu/check/pack_clips.py .bazel/bin/programs/dataset \
  .bazel/bin/data/synthetic/kinetics400_miniature/train "$bundle/miniature.safetensors"
cp op3d/gpu/check/gpu_check.sh "$bundle/"
cp op3d/gpu/check/eager_peers.py benchmarks/speed/network_peers.py benchmarks/speed/peers.py "$bundle/peers/"
git rev-parse HEAD > "$bundle/commit"
git diff --quiet HEAD || echo "with changes" >> "$bundle/commit"
strip "$bundle/bin/gpu_check"
tar -C "$work" -c gpu_check | xz -T2 > "$output"
bytes=$(stat -c %s "$output")
echo "gpu_bundle: $output, $((bytes >> 10)) KiB, $(ls "$bundle/lib" | wc -l) libraries"
[ "$bytes" -le $most_bytes ] || fail "more than $((most_bytes >> 20)) MiB"

# Started with this build's own LibTorch, as if it was an installed PyTorch.
site=$(realpath .bazel/out/../external/libtorch/site 2>/dev/null || true)
[ -d "$site" ] || site=$(realpath "$(./bazelw info output_base)/external/libtorch/site")
cuda=$(echo "$(dirname "$(dirname "$site")")"/libtorch_cuda/site/nvidia/*/lib)
code=0
PYTHONPATH=$site OP3D_CUDA_LIBRARIES=$cuda "$bundle/gpu_check.sh" "$work/record.json" || code=$?
case $code in
  0) echo "gpu_bundle: passed on this machine's GPU" ;;
  3) echo "gpu_bundle: complete; there is no GPU here" ;;
  *) fail "the bundle ends with $code" ;;
esac
