// Looks at videos and prepares datasets.
//
//   ./bazelw run //data:dataset -- inspect clip.mp4 --json
//   ./bazelw run //data:dataset -- frames clip.mp4 --indices=0,7,12 --out=/tmp/frames
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "data/command/frame_export.h"
#include "data/command/inspection.h"
#include "op3d/base/bazel.h"
#include "op3d/base/program.h"
#include "op3d/base/status_macros.h"

ABSL_FLAG(bool, json, false, "one JSON object a line on stdout instead of text");
ABSL_FLAG(std::vector<std::string>, indices, {}, "frames: their numbers, from 0, with commas");
ABSL_FLAG(std::string, out, "", "frames: the folder to write to");
ABSL_FLAG(int, size, 0, "frames: short side in pixels; 0 = the video's own size");

namespace op3d {
namespace {

constexpr char kUsage[] = "looks at videos and prepares datasets.\n";

absl::Status Inspect(absl::Span<const std::string> files) {
  if (files.empty()) return absl::InvalidArgumentError("inspect: name at least one file");
  absl::Status worst;
  for (const std::string& file : files) {
    const absl::StatusOr<Inspection> inspection = InspectVideo(UserPath(file), {});
    if (absl::IsCancelled(inspection.status())) return inspection.status();
    if (inspection.ok()) {
      std::printf("%s\n", (absl::GetFlag(FLAGS_json) ? InspectionJson(*inspection)
                                                     : InspectionText(*inspection))
                              .c_str());
      continue;
    }
    if (!worst.ok()) std::fprintf(stderr, "%s\n", std::string(worst.message()).c_str());
    worst = inspection.status();
  }
  return worst;
}

absl::Status Frames(absl::Span<const std::string> files) {
  if (files.size() != 1) return absl::InvalidArgumentError("frames: name one file");
  if (absl::GetFlag(FLAGS_out).empty()) {
    return absl::InvalidArgumentError("frames: give the folder to write to as --out=DIR");
  }
  std::vector<int64_t> indices;
  for (const std::string& text : absl::GetFlag(FLAGS_indices)) {
    int64_t index = 0;
    if (!absl::SimpleAtoi(text, &index)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--indices: '", text, "' is not a frame's number"));
    }
    indices.push_back(index);
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                        ExportFrames(UserPath(files[0]), indices, absl::GetFlag(FLAGS_size),
                                     UserPath(absl::GetFlag(FLAGS_out)), {}));
  for (const std::string& path : paths) std::printf("%s\n", path.c_str());
  return absl::OkStatus();
}

absl::Status Run(absl::Span<const std::string> words) {
  if (words.empty()) return absl::InvalidArgumentError("name a sub-command; see --help");
  const absl::Span<const std::string> rest = words.subspan(1);
  if (words[0] == "inspect") return Inspect(rest);
  if (words[0] == "frames") return Frames(rest);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no sub-command \"", words[0], "\"; see --help"));
}

}  // namespace
}  // namespace op3d

int main(int argc, char** argv) { return op3d::RunProgram(argc, argv, op3d::kUsage, op3d::Run); }
