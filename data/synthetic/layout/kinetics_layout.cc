#include "data/synthetic/layout/kinetics_layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/synthetic/miniatures/miniature_rendering.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {
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
      video.id = DrawYouTubeId(&stream);
    } while (!taken.insert(video.id).second);
    video.start_seconds = static_cast<int>(stream.UniformInt(600));
    video.end_seconds = video.start_seconds + seconds;
    video.video_class = ClassOf(miniature, i);
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
  // The official lists' headers; the test list is published without labels.
  const bool labelled = split != "test";
  std::string text = labelled ? "label,youtube_id,time_start,time_end,split,is_cc\n"
                              : "youtube_id,time_start,time_end,split\n";
  for (const KineticsVideo& video : videos) {
    if (labelled) {
      absl::StrAppend(&text, CsvField(miniature.classes[video.video_class].name, " "), ",");
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

DatasetLayout LayOutKinetics(const Miniature& miniature, const MiniatureSize& size, uint64_t seed) {
  // "kinetics400": "kinetics-400".
  std::string name = miniature.name;
  if (name.size() > 8) name.insert(8, "-");
  DatasetLayout layout;
  const std::pair<const char*, int> splits[] = {
      {"train", size.train}, {"val", size.validation}, {"test", size.test}};
  for (const auto& [split, count] : splits) {
    const std::vector<KineticsVideo> videos =
        NameKineticsVideos(miniature, split, count, SplitSeed(seed, miniature, split));
    for (int i = 0; i < count; ++i) {
      layout.videos.push_back({split, i, KineticsPath(miniature, split, videos[i])});
    }
    layout.texts.push_back(
        {absl::StrCat(name, "_", split, ".csv"), KineticsCsv(miniature, split, videos)});
  }
  layout.texts.push_back({"label_map.txt", KineticsLabelMap(miniature)});
  layout.texts.push_back({"groups.csv", GroupsCsv(miniature)});
  return layout;
}

}  // namespace op3d::data
