#include "data/command/optical_flow.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kLibrary[] = "data/command/opencv_flow.so";
constexpr char kFunction[] = "Op3dOpticalFlow";
constexpr int kSmallest = 16;
constexpr int kErrorBytes = 512;

GreyImage Blank(int width, int height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height)};
}

}  // namespace

GreyImage GreyOf(const RgbImage& image) {
  GreyImage grey = Blank(image.width, image.height);
  for (size_t i = 0; i < grey.pixels.size(); ++i) {
    const uint8_t* pixel = &image.pixels[3 * i];
    grey.pixels[i] =
        static_cast<uint8_t>((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
  }
  return grey;
}

absl::StatusOr<OpticalFlow> OpticalFlow::Load(const std::string& method) {
  if (method != "dis" && method != "farneback") {
    return absl::InvalidArgumentError(absl::StrCat(
        "the flow's method '", method, "' is none of: dis, farneback",
        method == "tvl1"
            ? "; the linked OpenCV libraries do not have TV-L1: Debian has it only in "
              "libopencv-contrib406, which installs 70 more packages (Qt, HDF5, Tesseract), "
              "131 with its headers. Flow that another program computed with it can be read "
              "(data/README.md)"
            : ""));
  }
  OP3D_ASSIGN_OR_RETURN(const std::string path, RunfilePath(kLibrary));
  // OpenCV's dependencies, such as its protobuf, must not mix with this program's own.
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const function = library == nullptr ? nullptr : ::dlsym(library, kFunction);
  if (function == nullptr) {
    const char* const reason = ::dlerror();
    return absl::InternalError(
        absl::StrCat("cannot load ", path, ": ", reason == nullptr ? "unknown" : reason));
  }
  OpticalFlow flow(method, reinterpret_cast<Function>(function));
  if (flow.function_(nullptr, nullptr, nullptr, 0, 0, nullptr, nullptr, 0) != 0) {
    return absl::UnimplementedError(
        "this build has no OpenCV, which computes the flow: run apt-get install "
        "libopencv-video-dev and then this command again (with ./bazelw, which builds it again); "
        "flow that another program made can be read (data/README.md)");
  }
  return flow;
}

absl::Status OpticalFlow::Compute(const GreyImage& first, const GreyImage& second,
                                  FlowField* field) const {
  if (first.width != second.width || first.height != second.height ||
      std::min(first.width, first.height) < kSmallest) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no flow from a picture of ", first.width, "x", first.height, " to one of ", second.width,
        "x", second.height, ": they must have one size of at least ", kSmallest, "x", kSmallest));
  }
  field->width = first.width;
  field->height = first.height;
  field->moves.resize(first.pixels.size() * 2);
  std::vector<char> error(kErrorBytes);
  if (function_(method_.c_str(), first.pixels.data(), second.pixels.data(), first.width,
                first.height, field->moves.data(), error.data(), kErrorBytes) != 0) {
    return absl::InternalError(absl::StrCat("OpenCV cannot compute the flow: ", error.data()));
  }
  return absl::OkStatus();
}

void EncodeFlow(const FlowField& field, double bound, GreyImage* x, GreyImage* y) {
  *x = Blank(field.width, field.height);
  *y = Blank(field.width, field.height);
  for (size_t i = 0; i < field.moves.size(); ++i) {
    const double move = std::min(std::max<double>(field.moves[i], -bound), bound);
    GreyImage* const picture = i % 2 == 0 ? x : y;
    picture->pixels[i / 2] =
        static_cast<uint8_t>(std::lround((move + bound) * (255 / (2 * bound))));
  }
}

}  // namespace op3d::data
