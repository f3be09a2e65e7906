"""precompiled_header: headers of libraries that nearly every file includes, parsed once.

GCC loads `name`.h.gch in place of `name`.h where the flags are the same, and otherwise reads `name`.h. It does
not compare the optimisation level but takes the header's (tools/op3d.bzl, _compiled).
Files still include what they use: --define=pch=off compiles them without it.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# Of every file that may use LibTorch: ATen's headers then include the operators they need, not all 2,000
# of them.
TORCH_COPTS = ["-DAT_PER_OPERATOR_HEADERS"]

def _precompiled_header_impl(ctx):
    header = ctx.actions.declare_file(ctx.label.name + ".h")
    toolchain = find_cpp_toolchain(ctx)

    # clang keeps such files in another form, and nothing but the fuzzers is built by it.
    used = ctx.var.get("pch") != "off" and ctx.var.get("fuzz") != "true"
    ctx.actions.write(header, "".join(["#include <%s>\n" % name for name in ctx.attr.headers if used]))
    if not used:
        return [CcInfo(compilation_context = cc_common.create_compilation_context(headers = depset([header])))]

    compiled = ctx.actions.declare_file(ctx.label.name + ".h.gch")
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    context = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps]).compilation_context
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = header.path,
        output_file = compiled.path,
        user_compile_flags = ["-xc++-header"] + ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        use_pic = True,
    )
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(feature_configuration = features, action_name = CPP_COMPILE_ACTION_NAME),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        # The libraries' versions, so that another one compiles it again.  As macros they would have
        # to be defined in every file that uses it.
        env = {"OP3D_LIBRARIES": " ".join(sorted(context.defines.to_list()))},
        inputs = depset([header], transitive = [context.headers, toolchain.all_files]),
        outputs = [compiled],
        mnemonic = "CppPrecompile",
        progress_message = "Precompiling %s.h" % ctx.label.name,
    )
    return [CcInfo(compilation_context = cc_common.create_compilation_context(headers = depset([header, compiled])))]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    attrs = {
        "copts": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "headers": attr.string_list(mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
