"""Declares every external dependency: Debian's packages, and LibTorch from its wheels."""

load("//tools/workspace/cuda:repository.bzl", "cuda_repository")
load("//tools/workspace/libtorch:repository.bzl", "libtorch_cuda_repository", "libtorch_repository")
load("//tools/workspace/opencv:repository.bzl", "opencv_repository")
load("//tools/workspace/pkgconfig:repository.bzl", "pkgconfig_repository")
load("//tools/workspace/protobuf:repository.bzl", "protobuf_repository")

# Bazel label inside @com_google_absl -> pkg-config module.
_ABSL = {
    "absl/algorithm:container": "absl_algorithm_container",
    "absl/base:core_headers": "absl_core_headers",
    "absl/cleanup:cleanup": "absl_cleanup",
    "absl/container:btree": "absl_btree",
    "absl/container:flat_hash_map": "absl_flat_hash_map",
    "absl/container:flat_hash_set": "absl_flat_hash_set",
    "absl/flags:config": "absl_flags_config",
    "absl/flags:flag": "absl_flags",  # the one name that is not mechanical
    "absl/flags:parse": "absl_flags_parse",
    "absl/flags:reflection": "absl_flags_reflection",
    "absl/flags:usage": "absl_flags_usage",
    "absl/functional:function_ref": "absl_function_ref",
    "absl/memory:memory": "absl_memory",
    "absl/status:status": "absl_status",
    "absl/status:statusor": "absl_statusor",
    "absl/strings:str_format": "absl_str_format",
    "absl/strings:strings": "absl_strings",
    "absl/synchronization:synchronization": "absl_synchronization",
    "absl/time:time": "absl_time",
    "absl/types:optional": "absl_optional",
    "absl/types:span": "absl_span",
}

def system_repositories(new_local_repository = None):
    """Declares them.

    Args:
      new_local_repository: another rule for the folders of the system; module extensions have no native one.
    """
    new_local_repository = new_local_repository or native.new_local_repository
    pkgconfig_repository(name = "com_google_absl", apt = "libabsl-dev", modules = _ABSL)
    pkgconfig_repository(name = "com_google_googletest", apt = "libgtest-dev libgmock-dev", modules = {":gtest": "gmock", ":gtest_main": "gmock_main"})
    pkgconfig_repository(name = "com_google_benchmark", apt = "libbenchmark-dev", modules = {":benchmark": "benchmark"})
    pkgconfig_repository(
        name = "ffmpeg",
        apt = "libavcodec-dev libavformat-dev libavutil-dev libswscale-dev",
        modules = {":avcodec": "libavcodec", ":avformat": "libavformat", ":avutil": "libavutil", ":swscale": "libswscale"},
    )
    protobuf_repository(name = "com_google_protobuf")
    pkgconfig_repository(name = "libarchive", apt = "libarchive-dev", modules = {":archive": "libarchive"})
    pkgconfig_repository(name = "lmdb", apt = "liblmdb-dev", modules = {":lmdb": "lmdb"})
    pkgconfig_repository(name = "libjpeg_turbo", apt = "libturbojpeg0-dev", modules = {":turbojpeg": "libturbojpeg"})
    pkgconfig_repository(name = "nlohmann_json", apt = "nlohmann-json3-dev", modules = {":json": "nlohmann_json"})
    opencv_repository(name = "opencv")
    pkgconfig_repository(name = "openssl", apt = "libssl-dev", modules = {":crypto": "libcrypto"})
    pkgconfig_repository(name = "zlib", apt = "zlib1g-dev", modules = {":zlib": "zlib"})
    libtorch_repository(name = "libtorch", lock = "//tools/workspace/libtorch:libtorch.lock")
    libtorch_cuda_repository(name = "libtorch_cuda", lock = "//tools/workspace/libtorch:libtorch_cuda.lock")
    cuda_repository(name = "cuda")
    new_local_repository(name = "eigen", path = "/usr/include/eigen3", build_file = "//tools/workspace/ceres:eigen.BUILD")
    new_local_repository(name = "ceres", path = "tools/workspace/ceres", build_file = "//tools/workspace/ceres:ceres.BUILD")
