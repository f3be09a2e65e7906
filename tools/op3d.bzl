"""The rules every BUILD file of op3d is written with.

They hold what is the same everywhere, so that it stands in one place: warnings are errors,
tests are small, single-threaded and link GoogleTest, benchmarks are kept alive by a smoke test.
"""

load("//tools/pch:pch.bzl", "TORCH_COPTS")
load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

_COPTS = ["-Wall", "-Wextra", "-Werror", "-Wno-sign-compare"]

def _compiled(deps, copts, tags, test = False, link = []):
    """deps, copts and tags of a target: with its precompiled header (tools/pch), and `link` after `deps`."""

    # The sanitizer configurations exclude LibTorch by this tag (.bazelrc).
    if type(deps) == "list" and "@libtorch//:torch" in deps and "torch" not in tags:
        tags = tags + ["torch"]
    torch = "torch" in tags
    own = _COPTS + (TORCH_COPTS if torch else [])

    # No precompiled header for code with options of its own: GCC would compile it with the optimisation
    # level of the header, without a word, and code for other instructions must contain no inline
    # function of a header.
    if not copts:
        header = ("torch" if torch else "common") + ("_test" if test else "")
        own = own + ["-include", "tools/pch/%s.h" % header]
        deps = deps + ["//tools/pch:" + header]
    return dict(deps = deps + link, copts = own + copts, tags = tags)

def op3d_cc_library(name, deps = [], copts = [], tags = [], **kwargs):
    """A library: one noun, `name`.h and `name`.cc."""
    kwargs.update(_compiled(deps, copts, tags))
    cc_library(name = name, **kwargs)

def op3d_cc_binary(name, deps = [], copts = [], tags = [], **kwargs):
    """A program."""
    kwargs.update(_compiled(deps, copts, tags))
    cc_binary(name = name, **kwargs)

def op3d_cc_test(name, deps = [], copts = [], size = "small", tags = [], env = {}, **kwargs):
    """A GoogleTest.  One OpenMP thread: results must not depend on the machine's cores.

    Tag it "torch" when it reaches LibTorch only through its deps.
    """
    kwargs.update(_compiled(deps, copts, tags, test = True, link = ["@com_google_googletest//:gtest_main"]))
    cc_test(
        name = name,
        size = size,
        env = dict({"OMP_NUM_THREADS": "1"}, **env),
        **kwargs
    )

def op3d_proto_library(name, srcs, deps = [], visibility = None):
    """`name`_proto ends in "_proto"; the C++ classes are the target `name` + "_cc" ("_cc_proto")."""
    if not name.endswith("_proto"):
        fail("%s: a proto library's name ends in _proto" % name)
    native.proto_library(name = name, srcs = srcs, deps = deps, visibility = visibility)
    native.cc_proto_library(name = name[:-len("proto")] + "cc_proto", deps = [":" + name], visibility = visibility)

def op3d_textproto(name, src, proto, message, protos, visibility = None):
    """Settings that the build checks: `src` must parse as `message` of the file `proto`.

    The target is the file itself, for `data = [...]`.  `protos` are the .proto files needed.
    """
    native.genrule(
        name = name + "_checked",
        srcs = [src] + protos,
        outs = [name + ".checked"],
        cmd = "protoc -I. --encode=%s %s < $(location %s) > $@" % (message, proto, src),
    )
    native.filegroup(name = name, srcs = [src], data = [":" + name + "_checked"], visibility = visibility)

def op3d_benchmark(name, srcs, deps = [], copts = [], tags = [], smoke_filter = ".", **kwargs):
    """A Google Benchmark program, and a test that runs it for an instant so that it cannot rot."""
    kwargs.update(_compiled(deps, copts, tags, link = ["@com_google_benchmark//:benchmark"]))
    cc_binary(
        name = name,
        srcs = srcs,
        testonly = True,
        **kwargs
    )
    native.sh_test(
        name = name + "_smoke_test",
        size = "small",
        srcs = ["//tools:run_smoke.sh"],
        args = ["$(rootpath :%s)" % name, "--benchmark_min_time=0", "--benchmark_filter=" + smoke_filter],
        data = [":" + name],
        tags = kwargs["tags"],
        env = {"OMP_NUM_THREADS": "1"},
    )

def op3d_fuzz_target(name, srcs, deps = [], corpus = [], tags = []):
    """A libFuzzer target and a test that feeds it its seeds.

    `srcs` defines LLVMFuzzerTestOneInput.  `./bazelw run --config=fuzz //pkg:name -- -max_total_time=600
    FOLDER` fuzzes; `name`_corpus_test runs the same function over `corpus` in every configuration.
    """
    input = _compiled(deps, [], tags)
    cc_library(
        name = name + "_input",
        srcs = srcs,
        testonly = True,
        alwayslink = True,
        **input
    )
    cc_binary(
        name = name,
        deps = [":" + name + "_input"],
        linkopts = ["-fsanitize=fuzzer"],
        # Only links with --config=fuzz.
        tags = ["manual"],
        testonly = True,
    )
    cc_test(
        name = name + "_corpus_test",
        size = "small",
        srcs = ["//tools:corpus_main.cc"],
        args = ["$(rootpaths %s)" % seed for seed in corpus],
        data = corpus,
        deps = [":" + name + "_input"],
        copts = _COPTS,
        tags = input["tags"],
    )
