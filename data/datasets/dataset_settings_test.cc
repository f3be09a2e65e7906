#include "data/datasets/dataset_settings.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(DatasetSettingsTest, FindsByName) {
  ASSERT_OK_AND_ASSIGN(const DatasetSettings dataset, FindDataset("hmdb51"));
  EXPECT_EQ(dataset.classes(), 51);
  EXPECT_THAT(FindDataset("imagenet"),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("'imagenet'"), HasSubstr("activitynet, hmdb51"))));
}

TEST(DatasetSettingsTest, ReadsAFileOfTheUsersOwn) {
  const std::string path = JoinPath(TestFolder("own"), "own.textproto");
  EXPECT_THAT(FindDataset(path), StatusIs(absl::StatusCode::kNotFound, HasSubstr(path)));
  ASSERT_THAT(WriteFileAtomically(path, "name: 'own' classes: 3"), IsOk());
  ASSERT_OK_AND_ASSIGN(const DatasetSettings dataset, FindDataset(path));
  EXPECT_EQ(dataset.name(), "own");
  ASSERT_THAT(WriteFileAtomically(path, "name: 'own'\nclass: 3"), IsOk());
  EXPECT_THAT(FindDataset(path),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("own.textproto:2:")));
}

TEST(DatasetSettingsTest, AStreamIsNamedAsInSettings) {
  DatasetSettings dataset;
  EXPECT_EQ(ContentOf(dataset), FrameContent::kPictures);
  EXPECT_EQ(StreamName(dataset), "");
  EXPECT_THAT(SetStream("flow", &dataset), IsOk());
  EXPECT_EQ(StreamName(dataset), "flow");
  EXPECT_EQ(ContentOf(dataset), FrameContent::kFlow);
  EXPECT_THAT(SetStream("", &dataset), IsOk());
  EXPECT_EQ(ContentOf(dataset), FrameContent::kFlow);
  EXPECT_THAT(SetStream("PICTURES", &dataset), IsOk());
  EXPECT_EQ(ContentOf(dataset), FrameContent::kPictures);
  EXPECT_THAT(SetStream("rgb", &dataset),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("--stream"), HasSubstr("PICTURES, FLOW"))));
}

TEST(DatasetSettingsTest, OfficialCountsAreThoseOfTheSplit) {
  DatasetSettings dataset;
  EXPECT_EQ(OfficialVideos(dataset).train, 0);
  dataset.add_official_train(10);
  dataset.add_official_train(20);
  dataset.add_official_evaluation(5);
  EXPECT_EQ(OfficialVideos(dataset).train, 10);
  EXPECT_EQ(OfficialVideos(dataset).evaluation, 5);
  dataset.set_split(2);
  EXPECT_EQ(OfficialVideos(dataset).train, 20);
  EXPECT_EQ(OfficialVideos(dataset).evaluation, 0);
}

}  // namespace
}  // namespace op3d::data
