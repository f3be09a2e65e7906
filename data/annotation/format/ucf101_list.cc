#include "data/annotation/format/ucf101_list.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] =
    "'Class/v_Class_g01_c01.avi number' (a test list: without the number), numbers from 1";

// "g08" of "v_ApplyEyeMakeup_g08_c01"; empty if there is none.
std::string GroupOf(absl::string_view name) {
  for (const absl::string_view part : absl::StrSplit(name, '_')) {
    int64_t number;
    if (part.size() > 1 && part[0] == 'g' && absl::ascii_isdigit(part[1]) &&
        absl::SimpleAtoi(part.substr(1), &number)) {
      return std::string(part);
    }
  }
  return "";
}

absl::Status ParseAll(absl::string_view text, absl::string_view source,
                      std::vector<Ucf101Video>* videos) {
  UniqueNames names;
  for (const ListLine& line : ListLines(text)) {
    absl::string_view path = line.text;
    Ucf101Video video;
    // The number follows the file's ending: no other part of a line may contain a space.
    const size_t space = path.rfind(' ');
    if (space != absl::string_view::npos) {
      if (!absl::SimpleAtoi(path.substr(space + 1), &video.number) || video.number < 1) {
        return ListError(source, line, "no class number", kExpected);
      }
      path = absl::StripTrailingAsciiWhitespace(path.substr(0, space));
    }
    const size_t slash = path.find('/');
    if (slash == 0 || slash == absl::string_view::npos || slash + 1 == path.size() ||
        !absl::EndsWithIgnoreCase(path, ".avi")) {
      return ListError(source, line, "no video in a class folder", kExpected);
    }
    video.label = std::string(path.substr(0, slash));
    video.name = std::string(WithoutEnding(FileName(path)));
    video.group = GroupOf(video.name);
    video.line = line.number;
    OP3D_RETURN_IF_ERROR(names.Add(video.name, source, line, kExpected));
    videos->push_back(std::move(video));
  }
  return videos->empty() ? EmptyListError(source, kExpected) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Ucf101Video>> ParseUcf101List(absl::string_view text,
                                                         absl::string_view source) {
  std::vector<Ucf101Video> videos;
  OP3D_RETURN_IF_ERROR(AnnotateWithOwner(ParseAll(text, source, &videos), text, "UCF101"));
  return videos;
}

}  // namespace op3d::data
