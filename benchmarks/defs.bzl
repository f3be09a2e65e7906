"""A benchmark is one program; a dataset's name makes it a target."""

# The datasets of the benchmarks; each has its settings in specs/.
DATASETS = [
    "activitynet",
    "hmdb51",
    "kinetics400",
    "kinetics600",
    "something_something_v1",
    "something_something_v2",
    "ucf101",
]

# The sweeps of sweeps/.
SWEEPS = [
    "ablations",
    "networks",
]

def _dataset_benchmark_impl(ctx):
    program = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = program, target_file = ctx.executable.program, is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.data).merge(ctx.attr.program[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = program, runfiles = runfiles)]

_dataset_benchmark = rule(
    implementation = _dataset_benchmark_impl,
    attrs = {
        "data": attr.label_list(allow_files = True),
        "program": attr.label(executable = True, cfg = "target", mandatory = True),
    },
    executable = True,
)

def op3d_own_benchmark(name):
    """`./bazelw run //benchmarks:<name> -- --dataset=FILE --dataset_root=DIR`: your own data."""
    _dataset_benchmark(
        name = name,
        args = ["--benchmark=own"],
        program = ":benchmark_program",
    )

def op3d_sweep_benchmark(name):
    """`./bazelw run //benchmarks:<name>`: runs that differ in a few settings, and their table."""
    _dataset_benchmark(
        name = name,
        args = ["--sweep=" + name],
        data = ["//data/synthetic:kinetics400_miniature"],
        program = ":benchmark_program",
        tags = ["manual"],
    )

def op3d_dataset_benchmark(name):
    """`./bazelw run //benchmarks:<name>`: the main job on the dataset `name`.

    The program is `:benchmark_program`, which takes the dataset from the name it is called by.  Its
    settings are specs/<name>.textproto and specs/<name>_miniature.textproto; its data
    //data/synthetic:<name>_miniature, which is rendered when the target is run, not by `//...`.
    """
    _dataset_benchmark(
        name = name,
        args = ["--benchmark=" + name],
        data = ["//data/synthetic:%s_miniature" % name],
        program = ":benchmark_program",
        tags = ["manual"],
    )
