"""A benchmark is one program; a dataset's name makes it a target."""

load("//tools:op3d.bzl", "op3d_cc_binary")

def op3d_dataset_benchmark(name, data):
    """`./bazelw run //benchmarks:<name>`: the main job on the dataset `name`.

    Its settings are specs/<name>.textproto and specs/<name>_miniature.textproto; `data` is the
    miniature's folder.
    """
    op3d_cc_binary(
        name = name,
        srcs = ["benchmark_main.cc"],
        args = ["--benchmark=" + name],
        data = data + [
            "//benchmarks:specs/%s.textproto" % name,
            "//benchmarks:specs/%s_miniature.textproto" % name,
            "//data/datasets:" + name,
            "//planner:graphs",
            "//tools:commit",
        ],
        tags = ["torch"],
        deps = [
            ":benchmark",
            ":dry_run",
            ":settings_resolution",
            "//data/index:index_update",
            "//op3d/base:assignments",
            "//op3d/base:bazel",
            "//op3d/base:file",
            "//op3d/base:program",
            "//op3d/base:progress",
            "//op3d/base:status_macros",
            "//op3d/network:device",
            "//results:published",
            "//results:table_format",
            "//results:table_library",
            "@com_google_absl//absl/flags:flag",
            "@com_google_absl//absl/strings",
            "@com_google_absl//absl/time",
        ],
    )
