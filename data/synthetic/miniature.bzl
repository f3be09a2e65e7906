"""A miniature as a target: made once, cached, used as `data` of a program or a test."""

def _miniature_impl(ctx):
    folder = ctx.actions.declare_directory(ctx.label.name)
    ctx.actions.run(
        executable = ctx.executable._synthesize,
        arguments = [
            "--dataset=" + ctx.attr.dataset,
            "--out=" + folder.path,
            "--seed=%d" % ctx.attr.seed,
            "--train=%d" % ctx.attr.train,
            "--val=%d" % ctx.attr.val,
            "--test=%d" % ctx.attr.test,
            "--threads=2",
        ],
        outputs = [folder],
        mnemonic = "Synthesize",
        progress_message = "Rendering %s (%d videos)" % (ctx.label.name, ctx.attr.train + ctx.attr.val + ctx.attr.test),
    )
    return [DefaultInfo(files = depset([folder]), runfiles = ctx.runfiles(files = [folder]))]

# The folder is found by RunfilePath("<package>/<name>").
miniature = rule(
    implementation = _miniature_impl,
    attrs = {
        "dataset": attr.string(mandatory = True),
        "seed": attr.int(default = 1),
        "test": attr.int(mandatory = True),
        "train": attr.int(mandatory = True),
        "val": attr.int(mandatory = True),
        # Built as a tool: the videos are the same under every --config, and the sanitizers do
        # not slow it down.
        "_synthesize": attr.label(default = "//data/synthetic:synthesize", executable = True, cfg = "exec"),
    },
)
