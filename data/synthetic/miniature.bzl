"""A miniature as a target: made once, cached, used as `data` of a program or a test."""

# The datasets that have a miniature, in miniatures/<name>.textproto.
MINIATURES = [
    "activitynet",
    "hmdb51",
    "kinetics400",
    "kinetics600",
    "something_something_v1",
    "something_something_v2",
    "ucf101",
]

def _miniature_impl(ctx):
    folder = ctx.actions.declare_directory(ctx.label.name)
    arguments = [
        "--dataset=" + ctx.attr.dataset,
        "--output_dir=" + folder.path,
        "--seed=%d" % ctx.attr.seed,
        "--threads=2",
    ]
    ctx.actions.run(
        executable = ctx.executable._synthesize,
        inputs = ctx.files._miniatures,
        arguments = arguments + (["--tiny"] if ctx.attr.tiny else []),
        outputs = [folder],
        mnemonic = "Synthesize",
        progress_message = "Rendering %s" % ctx.label.name,
    )
    return [DefaultInfo(files = depset([folder]), runfiles = ctx.runfiles(files = [folder]))]

# The folder is found by RunfilePath("<package>/<name>").
miniature = rule(
    implementation = _miniature_impl,
    attrs = {
        "dataset": attr.string(mandatory = True),
        "seed": attr.int(default = 1),
        # Two or three videos a class, for tests.
        "tiny": attr.bool(),
        "_miniatures": attr.label(default = "//data/synthetic/miniatures:miniatures"),
        # Built for the exec configuration: the videos are the same under every --config, and the
        # sanitizers do not slow it down.
        "_synthesize": attr.label(default = "//data/synthetic:synthesize", executable = True, cfg = "exec"),
    },
)
