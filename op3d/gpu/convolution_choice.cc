#include "op3d/gpu/convolution_choice.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "op3d/base/file.h"

namespace op3d::gpu {
namespace {

using nlohmann::json;

// JSON has no infinity.
constexpr double kNever = 1e30;

}  // namespace

std::string ConvolutionShape::Key() const {
  return absl::StrCat(absl::StrJoin(input, "x"), " ", out_channels, " ", absl::StrJoin(kernel, "x"),
                      " ", absl::StrJoin(stride, "x"), " ", absl::StrJoin(padding, "x"), " ",
                      groups, " ", type, training ? " training" : " evaluation");
}

ConvolutionChoices::ConvolutionChoices(const std::string& device, const std::string& path)
    : device_(device), path_(path) {
  if (!path_.empty()) Read();
}

void ConvolutionChoices::SetDeterministic(bool deterministic) {
  const std::lock_guard<std::mutex> lock(mutex_);
  deterministic_ = deterministic;
}

ConvolutionForm ConvolutionChoices::Choose(const ConvolutionShape& shape,
                                           absl::FunctionRef<double(ConvolutionForm)> seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (deterministic_) return ConvolutionForm::kImages;
  const std::string key = shape.Key();
  auto found = known_.find(key);
  if (found == known_.end()) {
    // A later try could be in the middle of a recording, where nothing can be measured.
    if (unknown_.count(key) > 0) return ConvolutionForm::kImages;
    const double images = seconds(ConvolutionForm::kImages);
    const double clips = seconds(ConvolutionForm::kClips);
    const Measured measured = {std::min(images, kNever), std::min(clips, kNever)};
    if (std::isnan(images) || std::isnan(clips) || std::min(images, clips) >= kNever) {
      unknown_.insert(key);
      return ConvolutionForm::kImages;
    }
    found = known_.emplace(key, measured).first;
    if (!path_.empty()) Write();
  }
  return found->second.clips_seconds < found->second.images_seconds ? ConvolutionForm::kClips
                                                                    : ConvolutionForm::kImages;
}

void ConvolutionChoices::Read() {
  const absl::StatusOr<std::string> text = ReadFile(path_);
  if (!text.ok()) return;
  const json file = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!file.is_object() || file.value("device", json()) != device_) return;
  const json shapes = file.value("shapes", json::object());
  for (const auto& [key, value] : shapes.items()) {
    if (!value.is_object()) continue;
    const json images = value.value("images_seconds", json()),
               clips = value.value("clips_seconds", json());
    if (images.is_number() && clips.is_number())
      known_[key] = {images.get<double>(), clips.get<double>()};
  }
}

void ConvolutionChoices::Write() const {
  json shapes = json::object();
  for (const auto& [key, one] : known_) {
    shapes[key] = {{"images_seconds", one.images_seconds}, {"clips_seconds", one.clips_seconds}};
  }
  const std::string text = json({{"device", device_}, {"shapes", shapes}}).dump(1) + "\n";
  if (MakeFolders(path_.substr(0, path_.rfind('/'))).ok()) {
    WriteFileAtomically(path_, text).IgnoreError();
  }
}

std::string ConvolutionChoicesPath(const std::string& device) {
  std::string name = device;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  const auto value = [](const char* variable) -> std::string {
    const char* const found = std::getenv(variable);
    return found == nullptr ? "" : found;
  };
  std::string folder = value("OP3D_GPU_CACHE");
  if (folder.empty() && !value("XDG_CACHE_HOME").empty()) {
    folder = absl::StrCat(value("XDG_CACHE_HOME"), "/op3d");
  }
  if (folder.empty() && !value("HOME").empty()) {
    folder = absl::StrCat(value("HOME"), "/.cache/op3d");
  }
  return folder.empty() ? "" : absl::StrCat(folder, "/convolutions_", name, ".json");
}

}  // namespace op3d::gpu
