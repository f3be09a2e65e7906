#include "data/annotation/format/activitynet_json.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/annotation/text/json_items.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

using Json = nlohmann::json;

constexpr char kExpected[] =
    "{\"database\": {id: {\"subset\": ..., \"annotations\": [{\"label\": ..., \"segment\": "
    "[seconds, seconds]}]}}}";

// The member of an object; null if there is none.
const Json& Member(const Json& object, const char* key) {
  static const Json* const kNone = new Json;
  if (!object.is_object()) return *kNone;
  const auto found = object.find(key);
  return found == object.end() ? *kNone : *found;
}

bool ParseSegment(const Json& annotation, ActivityNetVideo::Segment* segment) {
  segment->label = JsonText(Member(annotation, "label"));
  const Json& times = Member(annotation, "segment");
  if (segment->label.empty() || !times.is_array() || times.size() != 2 || !times[0].is_number() ||
      !times[1].is_number()) {
    return false;
  }
  segment->start_seconds = times[0].get<double>();
  segment->end_seconds = times[1].get<double>();
  return true;
}

absl::StatusOr<ActivityNetVideo> ParseEntry(absl::string_view source, const JsonItem& item) {
  ActivityNetVideo video;
  video.id = item.keys[1];
  video.line = item.line;
  video.subset = JsonText(Member(item.value, "subset"));
  // The id becomes part of a file's name.
  if (video.id.empty() || video.id.find('/') != std::string::npos) {
    return JsonItemError(source, item, "no usable id", kExpected);
  }
  if (video.subset.empty()) {
    return JsonItemError(source, item, absl::StrCat("no subset of '", video.id, "'"), kExpected);
  }
  const Json& duration = Member(item.value, "duration");
  if (duration.is_number()) video.duration_seconds = std::max(0.0, duration.get<double>());
  const Json& annotations = Member(item.value, "annotations");
  if (!annotations.is_array() && !annotations.is_null()) {
    return JsonItemError(source, item, absl::StrCat("no list of annotations of '", video.id, "'"),
                         kExpected);
  }
  for (const Json& annotation : annotations) {
    ActivityNetVideo::Segment segment;
    if (!ParseSegment(annotation, &segment)) {
      return JsonItemError(
          source, item, absl::StrCat("an annotation of '", video.id, "' without label and segment"),
          kExpected);
    }
    video.segments.push_back(std::move(segment));
  }
  return video;
}

absl::Status ParseAll(absl::string_view text, absl::string_view source,
                      std::vector<ActivityNetVideo>* videos) {
  UniqueNames names;
  OP3D_RETURN_IF_ERROR(ForEachJsonItem(text, source, 2, [&](const JsonItem& item) -> absl::Status {
    if (item.keys[0] != "database") return absl::OkStatus();
    OP3D_ASSIGN_OR_RETURN(ActivityNetVideo video, ParseEntry(source, item));
    OP3D_RETURN_IF_ERROR(names.Add(video.id, source, {item.line, video.id}, kExpected));
    videos->push_back(std::move(video));
    return absl::OkStatus();
  }));
  if (!videos->empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(source, ": no video in a \"database\"; expected ", kExpected));
}

}  // namespace

std::string ActivityNetVideo::Label() const {
  std::map<std::string, double> seconds;
  for (const Segment& segment : segments) {
    const double start = std::max(0.0, segment.start_seconds);
    const double end = duration_seconds > 0 ? std::min(duration_seconds, segment.end_seconds)
                                            : segment.end_seconds;
    seconds[segment.label] += std::max(0.0, end - start);
  }
  const Segment* longest = nullptr;
  for (const Segment& segment : segments) {
    if (longest == nullptr || seconds[segment.label] > seconds[longest->label]) longest = &segment;
  }
  return longest == nullptr ? "" : longest->label;
}

absl::StatusOr<std::vector<ActivityNetVideo>> ParseActivityNetJson(absl::string_view text,
                                                                   absl::string_view source) {
  std::vector<ActivityNetVideo> videos;
  OP3D_RETURN_IF_ERROR(AnnotateWithOwner(ParseAll(text, source, &videos), text, "ActivityNet"));
  return videos;
}

}  // namespace op3d::data
