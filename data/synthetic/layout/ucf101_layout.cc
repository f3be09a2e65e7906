#include "data/synthetic/layout/ucf101_layout.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace op3d::data {
namespace {

constexpr int kSplits = 3;
constexpr char kFolder[] = "ucfTrainTestlist/";

// "Bars/v_Bars_g01_c01.avi"; group and clip from 0.
std::string FileName(const Miniature& miniature, int video_class, int group, int clip) {
  const std::string& name = miniature.classes[video_class].name;
  return absl::StrFormat("%s/v_%s_g%02d_c%02d%s", name, name, group + 1, clip + 1,
                         EncodingOf(miniature, 0).ending);
}

}  // namespace

DatasetLayout LayOutUcf101(const Miniature& miniature, const MiniatureSize& size) {
  const int classes = static_cast<int>(miniature.classes.size());
  DatasetLayout layout;
  std::string numbers, train[kSplits], test[kSplits];
  for (int video_class = 0; video_class < classes; ++video_class) {
    absl::StrAppend(&numbers, video_class + 1, " ", miniature.classes[video_class].name, "\r\n");
    for (int group = 0; group < size.groups; ++group) {
      for (int clip = 0; clip < size.videos_per_group; ++clip) {
        const std::string file = FileName(miniature, video_class, group, clip);
        const int index = (group * size.videos_per_group + clip) * classes + video_class;
        layout.videos.push_back({"pool", index, absl::StrCat("UCF-101/", file)});
        for (int split = 0; split < kSplits; ++split) {
          if (group * kSplits / size.groups == split) {
            absl::StrAppend(&test[split], file, "\r\n");
          } else {
            absl::StrAppend(&train[split], file, " ", video_class + 1, "\r\n");
          }
        }
      }
    }
  }
  layout.texts.push_back({absl::StrCat(kFolder, "classInd.txt"), numbers});
  for (int split = 0; split < kSplits; ++split) {
    const std::string number = absl::StrCat("0", split + 1, ".txt");
    layout.texts.push_back({absl::StrCat(kFolder, "trainlist", number), train[split]});
    layout.texts.push_back({absl::StrCat(kFolder, "testlist", number), test[split]});
  }
  layout.texts.push_back({"groups.csv", GroupsCsv(miniature)});
  return layout;
}

}  // namespace op3d::data
