#include "data/synthetic/layout/dataset_layout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "op3d/base/io/csv.h"

namespace op3d::data {

std::string GroupsCsv(const Miniature& miniature) {
  std::string text = "class,group\n";
  for (const VideoClass* video_class : SortedClasses(miniature)) {
    absl::StrAppend(&text, CsvField(video_class->name, " "), ",", CsvField(video_class->group, " "),
                    "\n");
  }
  return text;
}

std::vector<const VideoClass*> SortedClasses(const Miniature& miniature) {
  std::vector<const VideoClass*> sorted;
  for (const VideoClass& video_class : miniature.classes) sorted.push_back(&video_class);
  std::sort(sorted.begin(), sorted.end(),
            [](const VideoClass* a, const VideoClass* b) { return a->name < b->name; });
  return sorted;
}

std::string DrawYouTubeId(RandomStream* stream) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string id;
  for (int i = 0; i < 11; ++i) id += kLetters[stream->UniformInt(64)];
  return id;
}

}  // namespace op3d::data
