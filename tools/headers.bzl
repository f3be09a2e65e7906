"""A test of all headers: their examples compile, their guards and types are of one kind."""

_HeadersInfo = provider("What a target's sources may include.", fields = ["cc"])

def _collect_impl(target, ctx):
    # A program or a test has no CcInfo of its own: use that of its dependencies.
    infos = [target[CcInfo]] if CcInfo in target else []
    for dep in getattr(ctx.rule.attr, "deps", []):
        if type(dep) == "Target" and _HeadersInfo in dep:
            infos.append(dep[_HeadersInfo].cc)
    return [_HeadersInfo(cc = cc_common.merge_cc_infos(cc_infos = infos))]

_collect = aspect(implementation = _collect_impl, attr_aspects = ["deps"])

def _header_examples_impl(ctx):
    cc = cc_common.merge_cc_infos(cc_infos = [dep[_HeadersInfo].cc for dep in ctx.attr.deps])
    headers = [
        file
        for file in cc.compilation_context.headers.to_list()
        if file.is_source and file.owner.workspace_name == "" and file.extension == "h"
    ]
    args = ctx.actions.args()
    args.add(ctx.outputs.plain)
    args.add(ctx.outputs.torch)
    args.add(ctx.file.names)
    args.add_all(headers)
    ctx.actions.run(
        executable = ctx.executable.tool,
        arguments = ["examples", args],
        inputs = headers + [ctx.file.names],
        outputs = [ctx.outputs.plain, ctx.outputs.torch],
        mnemonic = "HeaderExamples",
        progress_message = "Collecting the examples of %d headers" % len(headers),
    )
    return [
        DefaultInfo(
            files = depset([ctx.outputs.plain, ctx.outputs.torch]),
            runfiles = ctx.runfiles(files = headers),
        ),
        CcInfo(compilation_context = cc.compilation_context),
    ]

_header_examples = rule(
    implementation = _header_examples_impl,
    attrs = {
        "deps": attr.label_list(aspects = [_collect]),
        "names": attr.label(allow_single_file = True, default = "//tools:header_examples.txt"),
        "plain": attr.output(mandatory = True),
        "tool": attr.label(default = "//tools:headers.py", allow_single_file = True, executable = True, cfg = "exec"),
        "torch": attr.output(mandatory = True),
    },
)

def op3d_header_test(name, deps, tags = []):
    """Tests every header that `deps` (programs, tests, libraries) are built from.

    The build compiles the examples in their comments, the test reads their text (tools/headers.py).
    Headers without LibTorch share one translation unit, those with it another.
    """
    _header_examples(
        name = name + "_examples",
        plain = name + "_examples.cc",
        torch = name + "_torch_examples.cc",
        deps = deps,
        testonly = True,
    )
    native.cc_library(
        name = name + "_compiled",
        srcs = [":" + name + "_examples"],
        deps = [":" + name + "_examples"],
        # Never run: examples leave out what a program would do with its results.
        copts = ["-O0", "-g0", "-w"],
        tags = tags + ["torch"],
        testonly = True,
    )
    native.sh_test(
        name = name,
        size = "small",
        srcs = ["//tools:headers.py"],
        args = ["check"],
        data = [
            ":" + name + "_compiled",
            ":" + name + "_examples",
        ],
        tags = tags + ["torch"],
    )
