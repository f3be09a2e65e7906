// Every dataset's textproto says all that a reader of its lists needs.
#include <string>

#include "data/dataset.pb.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d {
namespace {

class DatasetsTest : public testing::TestWithParam<const char*> {};

TEST_P(DatasetsTest, IsComplete) {
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath(std::string("data/datasets/") + GetParam() + ".textproto"));
  DatasetSettings dataset;
  ASSERT_THAT(ReadTextproto(path, &dataset), IsOk());
  EXPECT_EQ(dataset.name(), GetParam());
  EXPECT_GT(dataset.classes(), 1);
  EXPECT_NE(dataset.format(), DatasetSettings::FORMAT_UNSPECIFIED);
  for (const DatasetSettings::Split& split : {dataset.train(), dataset.evaluation()}) {
    EXPECT_FALSE(split.list().empty());
    EXPECT_FALSE(split.media().empty());
  }
  EXPECT_GT(dataset.official_train(), dataset.official_evaluation());
  EXPECT_GT(dataset.official_evaluation(), 0);
  EXPECT_FALSE(dataset.source().empty());
}

INSTANTIATE_TEST_SUITE_P(All, DatasetsTest, testing::Values("kinetics400"));

}  // namespace
}  // namespace op3d
