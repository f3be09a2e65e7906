#include "op3d/eval/scores/fusion.h"

#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using Places = std::unordered_map<std::string, int64_t>;

// The key of a video: its name, without a video ending unless whole names are needed.
std::string KeyOf(const std::string& name, bool whole_names) {
  return whole_names ? name : std::string(data::WithoutVideoEndings(name));
}

// Whether some stream has videos that only differ in their endings.
bool NeedsWholeNames(const std::vector<TestScores>& streams) {
  for (const TestScores& stream : streams) {
    std::unordered_map<std::string, absl::string_view> names;
    for (const std::string& name : stream.names) {
      const auto [place, fresh] = names.emplace(KeyOf(name, false), name);
      if (!fresh && place->second != name) return true;
    }
  }
  return false;
}

absl::StatusOr<Places> PlacesOf(const TestScores& stream, size_t number, bool whole_names) {
  Places places;
  for (int64_t video = 0; video < stream.videos; ++video) {
    if (places.emplace(KeyOf(stream.names[video], whole_names), video).second) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("scores ", number + 1, " hold the video ", stream.names[video],
                     " twice; so videos cannot be told apart by their names"));
  }
  return places;
}

// The stream with its classes in another order: `places[c]` is the old index of the new class c.
TestScores Reorder(const TestScores& stream, const std::vector<int64_t>& places) {
  TestScores ordered = stream;
  const int64_t classes = stream.classes;
  std::vector<int64_t> now(classes);
  for (int64_t c = 0; c < classes; ++c) now[places[c]] = c;
  for (const auto& [from, to] : {std::make_pair(&stream.scores, &ordered.scores),
                                 std::make_pair(&stream.head_scores, &ordered.head_scores)}) {
    for (size_t i = 0; i < from->size(); ++i) {
      const int64_t c = static_cast<int64_t>(i) % classes;
      (*to)[static_cast<int64_t>(i) - c + now[c]] = (*from)[i];
    }
  }
  for (int64_t& label : ordered.labels) {
    if (label >= 0 && label < classes) label = now[label];
  }
  for (int64_t c = 0; c < classes; ++c) ordered.class_names[c] = stream.class_names[places[c]];
  return ordered;
}

// "class 0 is 'jump' in scores 1 and 'run' in scores 2": the first difference of stream `i`.
std::string OtherOrder(const std::vector<TestScores>& streams, size_t i) {
  for (int64_t c = 0; c < streams[0].classes; ++c) {
    if (streams[i].class_names[c] == streams[0].class_names[c]) continue;
    return absl::StrCat("class ", c, " is '", streams[0].class_names[c], "' in scores 1 and '",
                        streams[i].class_names[c], "' in scores ", i + 1);
  }
  return "";
}

// Reorders all streams to the first's order of classes; returns OtherOrder() for each that
// differed.
absl::StatusOr<std::vector<std::string>> AlignClasses(std::vector<TestScores>* all) {
  std::vector<TestScores>& streams = *all;
  std::vector<std::string> others(streams.size());
  for (size_t i = 1; i < streams.size(); ++i) {
    if (streams[i].classes != streams[0].classes) {
      return absl::InvalidArgumentError(
          absl::StrCat("scores 1 have ", streams[0].classes, " classes, scores ", i + 1, " ",
                       streams[i].classes, "; only scores of the same classes can be added"));
    }
    if (streams[i].class_names.empty() || streams[0].class_names.empty()) continue;
    if (streams[i].class_names == streams[0].class_names) continue;
    others[i] = OtherOrder(streams, i);
    Places found;
    for (int64_t c = 0; c < streams[i].classes; ++c) found.emplace(streams[i].class_names[c], c);
    std::vector<int64_t> places;
    for (int64_t c = 0; c < streams[0].classes; ++c) {
      const auto place = found.find(streams[0].class_names[c]);
      if (place == found.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat(others[i], ", and scores ", i + 1, " have no class '",
                         streams[0].class_names[c], "'; give both tests the same --labels"));
      }
      places.push_back(place->second);
      found.erase(place);  // a repeated name finds no second match
    }
    streams[i] = Reorder(streams[i], places);
  }
  return others;
}

// These videos of a stream, in this order.
TestScores Select(const TestScores& stream, const std::vector<int64_t>& videos) {
  TestScores selected = stream;
  selected.videos = static_cast<int64_t>(videos.size());
  selected.scores.clear();
  selected.head_scores.clear();
  selected.labels.clear();
  selected.names.clear();
  const int64_t row = stream.clips * stream.crops * stream.classes;
  for (const int64_t video : videos) {
    const auto begin = stream.scores.begin() + video * row;
    selected.scores.insert(selected.scores.end(), begin, begin + row);
    selected.labels.push_back(stream.labels[video]);
    selected.names.push_back(stream.names[video]);
  }
  for (int64_t head = 0; head < stream.heads; ++head) {
    for (const int64_t video : videos) {
      const auto begin =
          stream.head_scores.begin() + (head * stream.videos + video) * stream.classes;
      selected.head_scores.insert(selected.head_scores.end(), begin, begin + stream.classes);
    }
  }
  return selected;
}

}  // namespace

absl::StatusOr<MatchedScores> MatchVideos(std::vector<TestScores> streams, bool common_only) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> reordered, AlignClasses(&streams));
  bool same = true, named = true;
  for (const TestScores& stream : streams) {
    same = same && stream.names == streams[0].names && stream.labels == streams[0].labels;
    named = named && static_cast<int64_t>(stream.names.size()) == stream.videos;
  }
  MatchedScores matched;
  if (same) {
    matched.streams = std::move(streams);
    return matched;
  }
  if (!named) {
    return absl::InvalidArgumentError(
        "the scores are of different videos, and not all files name their videos; write them "
        "again with evaluate --weights=FILE --output=FILE");
  }
  const bool whole = NeedsWholeNames(streams);
  std::vector<Places> places;
  for (size_t i = 0; i < streams.size(); ++i) {
    OP3D_ASSIGN_OR_RETURN(Places found, PlacesOf(streams[i], i, whole));
    places.push_back(std::move(found));
  }
  // The videos that some stream lacks, from all streams.
  std::unordered_map<std::string, size_t> lacking;
  std::string example;
  for (const TestScores& stream : streams) {
    for (const std::string& name : stream.names) {
      const std::string key = KeyOf(name, whole);
      for (size_t i = 0; i < streams.size(); ++i) {
        if (places[i].count(key) > 0) continue;
        if (lacking.empty()) {
          example = absl::StrCat("scores ", i + 1, " lack the video ", name);
        }
        lacking.emplace(key, i);
        break;
      }
    }
  }
  if (!lacking.empty() && !common_only) {
    return absl::FailedPreconditionError(
        absl::StrCat(example, ", and ", lacking.size() - 1,
                     " more are not in all files; --on_bad_video=skip takes those that are"));
  }
  matched.left_out = static_cast<int64_t>(lacking.size());
  std::vector<std::vector<int64_t>> chosen(streams.size());
  for (int64_t video = 0; video < streams[0].videos; ++video) {
    const std::string& name = streams[0].names[video];
    const std::string key = KeyOf(name, whole);
    if (lacking.count(key) > 0) continue;
    for (size_t i = 0; i < streams.size(); ++i) {
      const int64_t place = places[i].at(key);
      if (streams[0].labels[video] < 0) streams[0].labels[video] = streams[i].labels[place];
      if (streams[i].labels[place] >= 0 && streams[i].labels[place] != streams[0].labels[video]) {
        return absl::InvalidArgumentError(absl::StrCat(
            reordered[i].empty() ? "" : absl::StrCat(reordered[i], "; matched by name, "),
            "the video ", name, " has label ", streams[0].labels[video], " in scores 1 and ",
            streams[i].labels[place], " in scores ", i + 1,
            reordered[i].empty() ? "; the lists are not of the same split"
                                 : "; the names of the classes cannot be right in both"));
      }
      chosen[i].push_back(place);
    }
  }
  if (chosen[0].empty()) {
    return absl::FailedPreconditionError("the scores have no video in common");
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    matched.streams.push_back(Select(streams[i], chosen[i]));
  }
  return matched;
}

}  // namespace op3d
