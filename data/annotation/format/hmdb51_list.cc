#include "data/annotation/format/hmdb51_list.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] = "'name.avi flag', the flag 1 (training), 2 (test) or 0 (neither)";

absl::Status ParseAll(absl::string_view text, absl::string_view source, absl::string_view label,
                      std::vector<Hmdb51Video>* videos) {
  const std::string class_part = absl::StrCat("_", label, "_");
  UniqueNames names;
  for (const ListLine& line : ListLines(text)) {
    // From the right: names may hold anything.
    const size_t space = line.text.rfind(' ');
    const absl::string_view flag =
        space == absl::string_view::npos ? "" : line.text.substr(space + 1);
    if (flag != "0" && flag != "1" && flag != "2") {
      return ListError(source, line, "no flag", kExpected);
    }
    const absl::string_view file = absl::StripTrailingAsciiWhitespace(line.text.substr(0, space));
    if (!absl::EndsWithIgnoreCase(file, ".avi") || file.size() == 4 ||
        absl::StrContains(file, '/')) {
      return ListError(source, line, "no video's name", kExpected);
    }
    Hmdb51Video video;
    video.name = std::string(WithoutEnding(file));
    video.source_video = video.name.substr(0, video.name.find(class_part));
    video.flag = flag[0] - '0';
    video.line = line.number;
    OP3D_RETURN_IF_ERROR(names.Add(video.name, source, line, kExpected));
    videos->push_back(std::move(video));
  }
  return videos->empty() ? EmptyListError(source, kExpected) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Hmdb51Video>> ParseHmdb51List(absl::string_view text,
                                                         absl::string_view source,
                                                         absl::string_view label) {
  std::vector<Hmdb51Video> videos;
  OP3D_RETURN_IF_ERROR(AnnotateWithOwner(ParseAll(text, source, label, &videos), text, "HMDB51"));
  return videos;
}

}  // namespace op3d::data
