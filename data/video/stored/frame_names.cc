#include "data/video/stored/frame_names.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// Removes the marks of flow; 0 = x, 1 = y, -1 = no flow.
int StripFlow(absl::string_view* stem) {
  absl::string_view rest = *stem;
  absl::ConsumePrefix(&rest, "flow_");
  for (const int picture : {0, 1}) {
    if (absl::ConsumePrefix(&rest, picture == 0 ? "x_" : "y_")) {
      *stem = rest;
      return picture;
    }
    if (absl::ConsumeSuffix(stem, picture == 0 ? "_c1" : "_c2")) return picture;
  }
  return -1;
}

void StripPrefix(absl::string_view* stem) {
  for (const char* prefix : {"img_", "image_", "frame_"}) {
    if (absl::ConsumePrefix(stem, prefix)) return;
  }
}

absl::Status CheckNumbers(const std::vector<std::pair<int64_t, std::string>>& numbered,
                          absl::string_view path) {
  int64_t expected = numbered.front().first == 0 ? 0 : 1;
  for (const auto& [number, name] : numbered) {
    if (number < expected) {
      return absl::DataLossError(absl::StrCat(path, ": frame ", number, " is there twice (", name,
                                              " and another name); keep one"));
    }
    if (number > expected) {
      return absl::DataLossError(absl::StrCat(
          path, ": ", number - expected == 1 ? "frame " : absl::StrCat("frames ", expected, " to "),
          number - 1, number - expected == 1 ? " is" : " are", " missing before ", name,
          "; copy or extract the video again"));
    }
    ++expected;
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<FrameName> ParseFrameName(absl::string_view name) {
  absl::string_view stem = name;
  const std::string lower = absl::AsciiStrToLower(name);
  if (absl::EndsWith(lower, ".jpg")) {
    stem.remove_suffix(4);
  } else if (absl::EndsWith(lower, ".jpeg")) {
    stem.remove_suffix(5);
  } else {
    return std::nullopt;
  }
  FrameName parsed;
  const int flow = StripFlow(&stem);
  if (flow >= 0) {
    parsed.content = FrameContent::kFlow;
    parsed.picture = flow;
  } else {
    StripPrefix(&stem);
  }
  const bool digits = !stem.empty() && stem.size() <= 9 &&
                      std::all_of(stem.begin(), stem.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(stem, &parsed.number)) return std::nullopt;
  return parsed;
}

void FrameNames::Add(absl::string_view name) {
  const std::optional<FrameName> parsed = ParseFrameName(name);
  if (!parsed.has_value()) return;
  Numbered& numbered = parsed->content == FrameContent::kFlow ? flow_[parsed->picture] : pictures_;
  numbered.emplace_back(parsed->number, std::string(name));
}

absl::Status FrameNames::Finish(FrameContent content, absl::string_view path, int64_t max_frames) {
  const bool flow = content == FrameContent::kFlow;
  if (flow) {
    chosen_ = std::move(flow_);
  } else {
    chosen_[0] = std::move(pictures_);
  }
  if (chosen_[0].empty() && chosen_[1].empty()) {
    return absl::NotFoundError(absl::StrCat(
        path, " holds no ",
        flow ? "flow (000001_c1.jpg, 000001_c2.jpg, ...)" : "frames (00001.jpg, 00002.jpg, ...)",
        !flow && !flow_[0].empty()
            ? ", but optical flow: `dataset` reads it with --stream=flow, settings with "
              "dataset.stream: FLOW"
            : ""));
  }
  if (flow && chosen_[0].size() != chosen_[1].size()) {
    return absl::DataLossError(absl::StrCat(path, " holds ", chosen_[0].size(), " x and ",
                                            chosen_[1].size(), " y pictures of flow: not pairs"));
  }
  if (static_cast<int64_t>(chosen_[0].size()) > max_frames) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, " has ", chosen_[0].size(), " frames, more than the limit of ",
                     max_frames, "; loader.max_frames of the settings can raise it"));
  }
  for (Numbered& numbered : chosen_) {
    std::sort(numbered.begin(), numbered.end());
    if (!numbered.empty()) OP3D_RETURN_IF_ERROR(CheckNumbers(numbered, path));
  }
  return absl::OkStatus();
}

}  // namespace op3d::data
