#include "data/synthetic/kinetics_layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

constexpr char kIdLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string DrawId(RandomStream* stream) {
  std::string id;
  for (int i = 0; i < 11; ++i) id += kIdLetters[stream->UniformInt(64)];
  return id;
}

std::vector<const VideoClass*> SortedClasses(const Miniature& miniature) {
  std::vector<const VideoClass*> sorted;
  for (const VideoClass& video_class : miniature.classes) sorted.push_back(&video_class);
  std::sort(sorted.begin(), sorted.end(),
            [](const VideoClass* a, const VideoClass* b) { return a->name < b->name; });
  return sorted;
}

}  // namespace

std::vector<KineticsVideo> NameKineticsVideos(const Miniature& miniature, absl::string_view split,
                                              int count, uint64_t seed) {
  const std::string purpose = absl::StrCat(miniature.name, ".", split, ".name");
  const int seconds =
      (miniature.shape.frames + miniature.frame_rate - 1) / std::max(1, miniature.frame_rate);
  std::vector<KineticsVideo> videos;
  std::set<std::string> taken;
  for (int i = 0; i < count; ++i) {
    RandomStream stream(seed, purpose, {i});
    KineticsVideo video;
    do {
      video.id = DrawId(&stream);
    } while (!taken.insert(video.id).second);
    video.start_seconds = static_cast<int>(stream.UniformInt(600));
    video.end_seconds = video.start_seconds + seconds;
    video.video_class = i % static_cast<int>(miniature.classes.size());
    videos.push_back(std::move(video));
  }
  return videos;
}

std::string KineticsFileName(const KineticsVideo& video) {
  return absl::StrFormat("%s_%06d_%06d.mp4", video.id, video.start_seconds, video.end_seconds);
}

std::string KineticsPath(const Miniature& miniature, absl::string_view split,
                         const KineticsVideo& video) {
  const std::string file = KineticsFileName(video);
  if (split == "test") return absl::StrCat(split, "/", file);
  return absl::StrCat(split, "/", miniature.classes[video.video_class].name, "/", file);
}

std::string KineticsCsv(const Miniature& miniature, absl::string_view split,
                        const std::vector<KineticsVideo>& videos) {
  // The official lists' own headers; the test list is published without labels.
  const bool labelled = split != "test";
  std::string text = labelled ? "label,youtube_id,time_start,time_end,split,is_cc\n"
                              : "youtube_id,time_start,time_end,split\n";
  for (const KineticsVideo& video : videos) {
    if (labelled) {
      absl::StrAppend(&text, CsvField(miniature.classes[video.video_class].name), ",");
    }
    absl::StrAppend(&text, video.id, ",", video.start_seconds, ",", video.end_seconds, ",", split,
                    labelled ? ",0\n" : "\n");
  }
  return text;
}

std::string KineticsLabelMap(const Miniature& miniature) {
  std::string text;
  for (const VideoClass* video_class : SortedClasses(miniature)) {
    absl::StrAppend(&text, video_class->name, "\n");
  }
  return text;
}

std::string GroupsCsv(const Miniature& miniature) {
  std::string text = "class,group\n";
  for (const VideoClass* video_class : SortedClasses(miniature)) {
    absl::StrAppend(&text, CsvField(video_class->name), ",", CsvField(video_class->group), "\n");
  }
  return text;
}

std::string CsvField(absl::string_view text) {
  if (text.find_first_of(" ,\"\r\n") == absl::string_view::npos) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace op3d
