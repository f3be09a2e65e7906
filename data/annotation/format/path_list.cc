#include "data/annotation/format/path_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// Removes the last number and its separator from `row`.
bool TakeNumber(absl::string_view* row, int64_t* number) {
  const size_t separator = row->find_last_of(" \t,");
  int32_t value;  // a larger one is no frame count and no label
  if (separator == absl::string_view::npos ||
      !absl::SimpleAtoi(row->substr(separator + 1), &value) || value < 0) {
    return false;
  }
  *number = value;
  *row = absl::StripAsciiWhitespace(row->substr(0, separator));
  return true;
}

bool IsPathAlone(const ListLine& line) {
  const absl::string_view name = FileName(line.text);
  return WithoutVideoEndings(name).size() < name.size();
}

}  // namespace

absl::StatusOr<std::vector<PathVideo>> ParsePathList(absl::string_view text,
                                                     absl::string_view source, PathListForm form) {
  const bool framed = form == PathListForm::kFramesLabel;
  const absl::string_view expected =
      framed ? "'path frames label', both whole numbers from 0" : "'path label', a number from 0";
  std::vector<PathVideo> videos;
  const std::vector<ListLine> lines = ListLines(text);
  const bool is_test_list = std::all_of(lines.begin(), lines.end(), IsPathAlone);
  for (const ListLine& line : lines) {
    absl::string_view rest = line.text;
    PathVideo video;
    video.line = line.number;
    if (is_test_list) {
      video.path = std::string(rest);
      videos.push_back(std::move(video));
      continue;
    }
    if (!TakeNumber(&rest, &video.label)) {
      return AnnotateWithOwner(ListError(source, line, "no label", expected), text, "plain");
    }
    if (framed && !TakeNumber(&rest, &video.frames)) {
      return AnnotateWithOwner(ListError(source, line, "no number of frames", expected), text,
                               "frames label");
    }
    if (rest.empty()) return ListError(source, line, "no path", expected);
    video.path = std::string(rest);
    videos.push_back(std::move(video));
  }
  if (videos.empty()) return EmptyListError(source, expected);
  return videos;
}

}  // namespace op3d::data
