// The recorded runs that this repository ships must stay readable.

#include <filesystem>
#include <string>

#include "op3d/base/bazel.h"
#include "op3d/base/status_matchers.h"
#include "results/record.h"

namespace op3d {
namespace {

TEST(RecordedTest, EveryRecordedRunIsAValidFinishedRecord) {
  ASSERT_OK_AND_ASSIGN(const std::string folder, RunfilePath("results/recorded"));
  int runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ASSERT_OK_AND_ASSIGN(const RunRecord record, ReadRecord(entry.path().string()));
    EXPECT_GT(record.recipes_size(), 0) << entry.path();
    for (const RecipeResult& recipe : record.recipes()) EXPECT_GT(recipe.test().videos(), 0);
    EXPECT_EQ(record.settings().scale() == BenchmarkSettings::MINIATURE,
              entry.path().string().find("_miniature") != std::string::npos)
        << entry.path();
    ++runs;
  }
  EXPECT_GT(runs, 0);
}

}  // namespace
}  // namespace op3d
