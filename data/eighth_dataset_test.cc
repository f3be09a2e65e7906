// A dataset of the user's own needs only a textproto, as data/README.md shows: tests the example
// there, word for word.
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "data/annotation/dataset_list.h"
#include "data/datasets/dataset_settings.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;

// The textproto in data/README.md.
absl::StatusOr<std::string> ReadmeExample() {
  absl::StatusOr<std::string> readme = RunfilePath("data/README.md");
  if (!readme.ok()) return readme.status();
  absl::StatusOr<std::string> text = ReadFile(*readme);
  if (!text.ok()) return text.status();
  const std::vector<std::string> parts = absl::StrSplit(*text, "```textproto\n");
  for (const std::string& part : parts) {
    if (absl::StrContains(part.substr(0, part.find('\n')), "name: \"gestures\"")) {
      return part.substr(0, part.find("```"));
    }
  }
  return absl::NotFoundError("no example of gestures");
}

void Write(const std::string& path, const std::string& text) {
  ASSERT_THAT(MakeFolders(path.substr(0, path.rfind('/'))), IsOk());
  ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
}

TEST(EighthDatasetTest, AListOfPaths) {
  const std::string root = TestFolder("gestures");
  ASSERT_OK_AND_ASSIGN(const std::string example, ReadmeExample());
  Write(root + "/gestures.textproto", example);
  Write(root + "/classes.txt", "swipe left\nswipe right\nthumb up\n");
  Write(root + "/train.txt", "swipe left/a 1.mp4 0\nthumb up/b.mp4 2\n");
  Write(root + "/test.txt", "swipe right/c.mp4 1\n");
  ASSERT_THAT(MakeFolders(root + "/videos"), IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetSettings dataset, FindDataset(root + "/gestures.textproto"));
  ASSERT_OK_AND_ASSIGN(const DatasetList train, ReadDatasetList(dataset, dataset.train(), root));
  EXPECT_THAT(train.classes, ElementsAre("swipe left", "swipe right", "thumb up"));
  ASSERT_EQ(train.videos.size(), 2);
  EXPECT_EQ(train.videos[1].label, 2);
  EXPECT_EQ(train.media_path, root + "/videos");
  ASSERT_OK_AND_ASSIGN(const DatasetList test,
                       ReadDatasetList(dataset, dataset.evaluation(), root));
  EXPECT_EQ(test.videos[0].path, "swipe right/c.mp4");
  EXPECT_FALSE(dataset.protocol().horizontal_flip());
}

}  // namespace
}  // namespace op3d::data
