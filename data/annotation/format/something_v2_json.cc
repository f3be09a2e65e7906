#include "data/annotation/format/something_v2_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/annotation/text/json_items.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] =
    "[{\"id\": \"78687\", \"template\": \"Holding [something]\", ...}, ...] (a test list: without "
    "templates)";

absl::StatusOr<SomethingV2Video> ParseEntry(absl::string_view source, const JsonItem& item) {
  SomethingV2Video video;
  video.line = item.line;
  if (!item.value.is_object()) return JsonItemError(source, item, "no entry", kExpected);
  const auto id = item.value.find("id");
  if (id != item.value.end()) video.id = JsonText(*id);
  if (video.id.empty() || !std::all_of(video.id.begin(), video.id.end(), absl::ascii_isdigit)) {
    return JsonItemError(source, item, "no number for an id", kExpected);
  }
  const auto found = item.value.find("template");
  if (found == item.value.end() || JsonText(*found).empty()) return video;
  video.label = absl::StrReplaceAll(JsonText(*found), {{"[", ""}, {"]", ""}});
  absl::StripAsciiWhitespace(&video.label);
  if (video.label.empty()) return JsonItemError(source, item, "an empty template", kExpected);
  return video;
}

absl::Status ParseAll(absl::string_view text, absl::string_view source,
                      std::vector<SomethingV2Video>* videos) {
  const absl::string_view inner = absl::StripAsciiWhitespace(WithoutByteOrderMark(text));
  if (!absl::StartsWith(inner, "[")) {
    return absl::InvalidArgumentError(absl::StrCat(source, ":1: no JSON list: it starts with '",
                                                   inner.substr(0, 60), "'; expected ", kExpected));
  }
  UniqueNames names;
  OP3D_RETURN_IF_ERROR(ForEachJsonItem(text, source, 1, [&](const JsonItem& item) -> absl::Status {
    OP3D_ASSIGN_OR_RETURN(SomethingV2Video video, ParseEntry(source, item));
    OP3D_RETURN_IF_ERROR(names.Add(video.id, source, {item.line, video.id}, kExpected));
    videos->push_back(std::move(video));
    return absl::OkStatus();
  }));
  return videos->empty() ? EmptyListError(source, kExpected) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SomethingV2Video>> ParseSomethingV2Json(absl::string_view text,
                                                                   absl::string_view source) {
  std::vector<SomethingV2Video> videos;
  OP3D_RETURN_IF_ERROR(
      AnnotateWithOwner(ParseAll(text, source, &videos), text, "Something-Something V2"));
  return videos;
}

}  // namespace op3d::data
