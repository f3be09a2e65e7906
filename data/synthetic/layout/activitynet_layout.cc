#include "data/synthetic/layout/activitynet_layout.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/synthetic/miniatures/miniature_rendering.h"
#include "op3d/base/random_stream.h"

namespace op3d::data {

DatasetLayout LayOutActivityNet(const Miniature& miniature, const MiniatureSize& size,
                                uint64_t seed) {
  DatasetLayout layout;
  nlohmann::ordered_json database = nlohmann::ordered_json::object();
  std::set<std::string> taken;
  struct List {
    const char* split;
    const char* subset;
    int count;
    bool labelled;
  };
  for (const List& list : {List{"train", "training", size.train, true},
                           List{"val", "validation", size.validation, true},
                           List{"test", "testing", size.test, false}}) {
    for (int i = 0; i < list.count; ++i) {
      RandomStream stream(SplitSeed(seed, miniature, list.split),
                          absl::StrCat(miniature.name, ".", list.split, ".name"), {i});
      std::string id;
      do {
        id = DrawYouTubeId(&stream);
      } while (!taken.insert(id).second);
      layout.videos.push_back(
          {list.split, i, absl::StrCat("videos/v_", id, EncodingOf(miniature, i).ending)});

      const double rate = miniature.frame_rate;
      nlohmann::ordered_json annotations = nlohmann::ordered_json::array();
      if (list.labelled) {
        const Rendering rendering = RenderingOf(miniature, list.split, i, seed);
        annotations.push_back(
            {{"label", miniature.classes[ClassOf(miniature, i)].name},
             {"segment", {rendering.first_present() / rate, rendering.end_present() / rate}}});
      }
      database[id] = {
          {"subset", list.subset},
          {"duration", miniature.shape.frames / rate},
          {"resolution", absl::StrCat(miniature.shape.width, "x", miniature.shape.height)},
          {"annotations", annotations}};
    }
  }
  const nlohmann::ordered_json file = {{"database", database}, {"version", "VERSION 1.3"}};
  layout.texts.push_back({"activity_net.v1-3.min.json", file.dump() + "\n"});
  layout.texts.push_back({"groups.csv", GroupsCsv(miniature)});
  return layout;
}

}  // namespace op3d::data
