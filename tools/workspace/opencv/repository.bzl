"""@opencv: the part of OpenCV that computes optical flow, from libopencv-video-dev.

Nothing needs it but `//data:dataset -- flow`, so it may be missing: the library is then empty, and
the command says what to install.  bazelw passes the package's version as OP3D_OPENCV, so that
Bazel looks again after an installation.
"""

_INCLUDE = "/usr/include/opencv4/opencv2"

_FOUND = """
cc_library(
    name = "video",
    hdrs = glob(["include/**"]),
    defines = ["OP3D_OPENCV"],
    includes = ["include"],
    linkopts = ["-lopencv_video", "-lopencv_imgproc", "-lopencv_core"],
)
"""

_MISSING = """
cc_library(name = "video")
"""

def _impl(rctx):
    found = rctx.path(_INCLUDE + "/video/tracking.hpp").exists
    if found:
        rctx.symlink(_INCLUDE, "include/opencv2")
    rctx.file("BUILD", 'package(default_visibility = ["//visibility:public"])\n' + (_FOUND if found else _MISSING))

opencv_repository = repository_rule(
    implementation = _impl,
    configure = True,
    environ = ["OP3D_OPENCV"],
    local = True,
)
