// Checks that every dataset's textproto has everything that a reader of its lists needs, and the
// facts of the published protocol.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "data/datasets/dataset_settings.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

// The published protocol's table, and the official numbers of videos.
struct Facts {
  const char* name;
  DatasetSettings::Format format;
  int classes;
  double loss_weight, dropout;
  bool horizontal_flip;
  int test_clips, test_segments;
  // For each split.
  std::vector<int> train, evaluation;
};

class DatasetsTest : public testing::TestWithParam<Facts> {};

TEST_P(DatasetsTest, IsComplete) {
  ASSERT_OK_AND_ASSIGN(const DatasetSettings dataset, FindDataset(GetParam().name));
  EXPECT_EQ(dataset.name(), GetParam().name);
  for (const DatasetSettings::Split& split : {dataset.train(), dataset.evaluation()}) {
    EXPECT_FALSE(split.list().empty());
    EXPECT_FALSE(split.media().empty());
    EXPECT_EQ(absl::StrContains(split.list(), "{split}"), GetParam().evaluation.size() > 1);
  }
  EXPECT_NE(dataset.train().list() + dataset.train().part(),
            dataset.evaluation().list() + dataset.evaluation().part());
  EXPECT_FALSE(dataset.source().empty());
}

TEST_P(DatasetsTest, AgreesWithTheProtocol) {
  const Facts& facts = GetParam();
  ASSERT_OK_AND_ASSIGN(DatasetSettings dataset, FindDataset(facts.name));
  EXPECT_EQ(dataset.format(), facts.format);
  EXPECT_EQ(dataset.classes(), facts.classes);
  EXPECT_EQ(dataset.protocol().loss_weight(), facts.loss_weight);
  EXPECT_EQ(dataset.protocol().dropout(), facts.dropout);
  EXPECT_EQ(dataset.protocol().horizontal_flip(), facts.horizontal_flip);
  EXPECT_EQ(dataset.protocol().test_clips(), facts.test_clips);
  EXPECT_EQ(dataset.protocol().test_segments(), facts.test_segments);
  EXPECT_EQ(dataset.official_train_size(), facts.train.size());
  EXPECT_EQ(dataset.official_evaluation_size(), facts.evaluation.size());
  for (int split = 1; split <= facts.train.size(); ++split) {
    dataset.set_split(split);
    EXPECT_EQ(OfficialVideos(dataset).train, facts.train[split - 1]);
    EXPECT_EQ(OfficialVideos(dataset).evaluation, facts.evaluation[split - 1]);
  }
}

TEST_P(DatasetsTest, HasItsOfficialSplitsAlone) {
  ASSERT_OK_AND_ASSIGN(DatasetSettings dataset, FindDataset(GetParam().name));
  const int splits = static_cast<int>(GetParam().train.size());
  for (int split = -1; split <= splits + 1; ++split) {
    const bool there = splits > 1 && split >= 1 && split <= splits;
    EXPECT_EQ(ChooseSplit(split, &dataset).ok(), there) << split;
    EXPECT_TRUE(!there || dataset.split() == split) << split;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DatasetsTest,
    testing::Values(
        Facts{"activitynet",
              DatasetSettings::ACTIVITYNET_JSON,
              200,
              1,
              0.9,
              true,
              50,
              0,
              {10024},
              {4926}},
        Facts{"hmdb51",
              DatasetSettings::HMDB51_LISTS,
              51,
              1,
              0.9,
              true,
              10,
              16,
              {3570, 3570, 3570},
              {1530, 1530, 1530}},
        Facts{"kinetics400",
              DatasetSettings::KINETICS_CSV,
              400,
              4,
              0.5,
              true,
              10,
              0,
              {246535},
              {19906}},
        Facts{"kinetics600", DatasetSettings::KINETICS_CSV, 600, 4, 0.5, true, 10, 0, {0}, {30000}},
        Facts{"something_something_v1",
              DatasetSettings::SOMETHING_SOMETHING_V1_CSV,
              174,
              1,
              0.5,
              false,
              10,
              8,
              {86017},
              {11522}},
        Facts{"something_something_v2",
              DatasetSettings::SOMETHING_SOMETHING_V2_JSON,
              174,
              1,
              0.5,
              false,
              10,
              8,
              {168913},
              {24777}},
        Facts{"ucf101",
              DatasetSettings::UCF101_LIST,
              101,
              1,
              0.9,
              true,
              10,
              16,
              {9537, 9586, 9624},
              {3783, 3734, 3696}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace op3d::data
