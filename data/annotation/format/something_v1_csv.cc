#include "data/annotation/format/something_v1_csv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] = "'id;label' (a test list: 'id'), the id a number";

absl::Status ParseAll(absl::string_view text, absl::string_view source,
                      std::vector<SomethingV1Video>* videos) {
  UniqueNames names;
  const std::vector<ListLine> lines = ListLines(text);
  for (const ListLine& line : lines) {
    const size_t semicolon = line.text.find(';');
    SomethingV1Video video;
    video.id = std::string(absl::StripAsciiWhitespace(line.text.substr(0, semicolon)));
    if (semicolon != absl::string_view::npos) {
      video.label = std::string(absl::StripAsciiWhitespace(line.text.substr(semicolon + 1)));
    }
    video.line = line.number;
    if (video.id.empty() || !std::all_of(video.id.begin(), video.id.end(), absl::ascii_isdigit)) {
      return ListError(source, line, "no number for an id", kExpected);
    }
    OP3D_RETURN_IF_ERROR(names.Add(video.id, source, line, kExpected));
    videos->push_back(std::move(video));
  }
  return videos->empty() ? EmptyListError(source, kExpected) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SomethingV1Video>> ParseSomethingV1Csv(absl::string_view text,
                                                                  absl::string_view source) {
  std::vector<SomethingV1Video> videos;
  OP3D_RETURN_IF_ERROR(
      AnnotateWithOwner(ParseAll(text, source, &videos), text, "Something-Something V1"));
  return videos;
}

}  // namespace op3d::data
