#include "data/synthetic/layout/hmdb51_layout.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace op3d::data {
namespace {

constexpr int kSplits = 3;

// 1 = training, 2 = test, 0 = neither; film and split from 0.
int Flag(int film, int films, int split) {
  const int tested = films * 3 / 10, unused = std::max(1, films / 10);
  if (film >= films - unused) return 0;
  return film >= split * tested && film < (split + 1) * tested ? 2 : 1;
}

}  // namespace

DatasetLayout LayOutHmdb51(const Miniature& miniature, const MiniatureSize& size) {
  const int classes = static_cast<int>(miniature.classes.size());
  DatasetLayout layout;
  for (int video_class = 0; video_class < classes; ++video_class) {
    const std::string& name = miniature.classes[video_class].name;
    std::string lists[kSplits];
    for (int film = 0; film < size.groups; ++film) {
      for (int clip = 0; clip < size.videos_per_group; ++clip) {
        const std::string file =
            absl::StrFormat("Old_Film_(HQ)_%02d_%s_u_nm_np1_fr_med_%d%s", film + 1, name, clip,
                            EncodingOf(miniature, 0).ending);
        const int index = (film * size.videos_per_group + clip) * classes + video_class;
        layout.videos.push_back({"pool", index, absl::StrCat("hmdb51_org/", name, "/", file)});
        for (int split = 0; split < kSplits; ++split) {
          // The official lists have a space at the end, too.
          absl::StrAppend(&lists[split], file, " ", Flag(film, size.groups, split), " \n");
        }
      }
    }
    for (int split = 0; split < kSplits; ++split) {
      layout.texts.push_back(
          {absl::StrCat("testTrainMulti_7030_splits/", name, "_test_split", split + 1, ".txt"),
           lists[split]});
    }
  }
  layout.texts.push_back({"groups.csv", GroupsCsv(miniature)});
  return layout;
}

}  // namespace op3d::data
