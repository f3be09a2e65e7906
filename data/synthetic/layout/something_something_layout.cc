#include "data/synthetic/layout/something_something_layout.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/synthetic/miniatures/miniature_rendering.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {
namespace {

// As large as the real ones.
constexpr int64_t kLargestId = 220'847;

struct NamedVideo {
  std::string id;
  const VideoClass* video_class;
};

std::vector<NamedVideo> NameVideos(const Miniature& miniature, const std::string& split, int count,
                                   uint64_t seed, std::set<int64_t>* taken) {
  std::vector<NamedVideo> videos;
  for (int i = 0; i < count; ++i) {
    RandomStream stream(SplitSeed(seed, miniature, split),
                        absl::StrCat(miniature.name, ".", split, ".name"), {i});
    int64_t id = 0;
    do {
      id = 1 + stream.UniformInt(kLargestId);
    } while (!taken->insert(id).second);
    videos.push_back({absl::StrCat(id), &miniature.classes[ClassOf(miniature, i)]});
  }
  return videos;
}

std::string CsvList(const std::vector<NamedVideo>& videos, bool labelled) {
  std::string text;
  for (const NamedVideo& video : videos) {
    absl::StrAppend(&text, video.id, labelled ? ";" : "", labelled ? video.video_class->name : "",
                    "\n");
  }
  return text;
}

// "Moving something left": "Moving [something] left".
std::string Template(const std::string& name) {
  return absl::StrReplaceAll(name, {{"something", "[something]"}, {"Something", "[Something]"}});
}

std::string JsonList(const std::vector<NamedVideo>& videos, bool labelled) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const NamedVideo& video : videos) {
    nlohmann::ordered_json entry = {{"id", video.id}};
    if (labelled) {
      const std::string& name = video.video_class->name;
      entry["label"] = absl::AsciiStrToLower(
          absl::StrReplaceAll(name, {{"something", "a shape"}, {"Something", "a shape"}}));
      entry["template"] = Template(name);
      entry["placeholders"] = {"a shape"};
    }
    list.push_back(std::move(entry));
  }
  return list.dump(0) + "\n";
}

std::string JsonLabels(const Miniature& miniature) {
  nlohmann::ordered_json labels = nlohmann::ordered_json::object();
  for (size_t i = 0; i < miniature.classes.size(); ++i) {
    labels[miniature.classes[i].name] = absl::StrCat(i);
  }
  return labels.dump(0) + "\n";
}

std::string CsvLabels(const Miniature& miniature) {
  std::string text;
  for (const VideoClass& video_class : miniature.classes) {
    absl::StrAppend(&text, video_class.name, "\n");
  }
  return text;
}

}  // namespace

DatasetLayout LayOutSomethingSomething(const Miniature& miniature, const MiniatureSize& size,
                                       uint64_t seed) {
  const bool json = miniature.format == DatasetSettings::SOMETHING_SOMETHING_V2_JSON;
  const std::string prefix = json ? "something-something-v2-" : "something-something-v1-";
  const std::string ending = json ? ".json" : ".csv";
  const std::string media = json ? "20bn-something-something-v2/" : "20bn-something-something-v1/";
  DatasetLayout layout;
  layout.texts.push_back({absl::StrCat(prefix, "labels", ending),
                          json ? JsonLabels(miniature) : CsvLabels(miniature)});
  std::set<int64_t> taken;
  struct List {
    const char* split;
    const char* name;
    int count;
  };
  for (const List& list :
       {List{"train", "train", size.train}, List{"val", "validation", size.validation},
        List{"test", "test", size.test}}) {
    const std::vector<NamedVideo> videos =
        NameVideos(miniature, list.split, list.count, seed, &taken);
    for (int i = 0; i < list.count; ++i) {
      layout.videos.push_back(
          {list.split, i, absl::StrCat(media, videos[i].id, EncodingOf(miniature, i).ending)});
    }
    const bool labelled = list.split != std::string("test");
    layout.texts.push_back({absl::StrCat(prefix, list.name, ending),
                            json ? JsonList(videos, labelled) : CsvList(videos, labelled)});
  }
  layout.texts.push_back({"groups.csv", GroupsCsv(miniature)});
  return layout;
}

}  // namespace op3d::data
