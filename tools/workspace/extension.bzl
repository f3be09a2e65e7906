"""The repositories of default.bzl as a module extension: MODULE.bazel, Bazel 7 and later.

Not run with Bazel 4.2.3, which has no module extensions; tools/check_module.py evaluates it.
"""

load("//tools/workspace:default.bzl", "system_repositories")

def _folder_impl(rctx):
    # A path without a leading slash is relative to the workspace.
    root = rctx.path(Label("//:WORKSPACE")).dirname
    path = rctx.attr.path if rctx.attr.path.startswith("/") else "%s/%s" % (root, rctx.attr.path)
    for entry in rctx.path(path).readdir():
        if entry.basename not in ("BUILD", "BUILD.bazel"):
            rctx.symlink(entry, entry.basename)
    rctx.symlink(rctx.attr.build_file, "BUILD")

# Like native.new_local_repository, which module extensions cannot call.
_folder_repository = repository_rule(
    implementation = _folder_impl,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "path": attr.string(mandatory = True),
    },
    local = True,
)

def _system_impl(_mctx):
    system_repositories(new_local_repository = _folder_repository)

system = module_extension(implementation = _system_impl)
