#include "benchmarks/parts/curve_files.h"

#include <cstring>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/train/log/event.pb.h"

namespace op3d::benchmarks {
namespace {

// Reads a curve's folder as TensorBoard does: one value per step of a tag, over all files in order.
std::map<int64_t, float> Read(const std::string& folder, const std::string& tag) {
  std::map<int64_t, float> values;
  const auto names = ListFolder(folder);
  EXPECT_THAT(names, IsOk());
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    const std::string bytes = *ReadFile(JoinPath(folder, name));
    for (size_t at = 0; at + 12 <= bytes.size();) {
      uint64_t length = 0;
      std::memcpy(&length, bytes.data() + at, sizeof(length));
      EventProto event;
      EXPECT_TRUE(event.ParseFromString(bytes.substr(at + 12, length)));
      at += 12 + length + 4;
      if (event.has_session_log()) values.erase(values.lower_bound(event.step()), values.end());
      for (const EventSummary::Value& value : event.summary().value()) {
        if (value.tag() == tag) values[event.step()] = value.simple_value();
      }
    }
  }
  return values;
}

CurveFiles::Point At(int64_t step, double value) { return {step, {{"search/performance", value}}}; }

using Values = std::map<int64_t, float>;

TEST(CurveFilesTest, ACurveIsWrittenPointByPoint) {
  const std::string folder = JoinPath(TestFolder("curves"), "tensorboard");
  CurveFiles curves(folder);
  EXPECT_FALSE(FolderExists(folder));
  curves.Add("search/cs/S0-S1", At(1, 0.25));
  curves.Add("search/cs/S0-S2", At(1, 0.75));
  curves.Add("search/cs/S0-S1", At(2, 0.5));
  curves.Complete("search/cs/S0-S1", {At(1, 0.25), At(2, 0.5)});
  curves.Complete("search/cs/S0-S2", {At(1, 0.75)});
  EXPECT_EQ(Read(JoinPath(folder, "search/cs/S0-S1"), "search/performance"),
            (Values{{1, 0.25F}, {2, 0.5F}}));
  EXPECT_EQ(Read(JoinPath(folder, "search/cs/S0-S2"), "search/performance"), (Values{{1, 0.75F}}));
  EXPECT_THAT(*ListFolder(JoinPath(folder, "search/cs/S0-S1")), testing::SizeIs(1));
}

TEST(CurveFilesTest, TakenUpAgainLaterPointsAreVoidAndMissingOnesComeBack) {
  const std::string folder = TestFolder("again");
  {
    CurveFiles killed(folder);
    killed.Add("a", At(1, 0.25));
    killed.Add("a", At(2, 0.5));
    killed.Add("a", At(3, 0.9));
  }
  {
    CurveFiles second(folder);
    second.Add("a", At(3, 0.75));
    EXPECT_EQ(Read(JoinPath(folder, "a"), "search/performance"),
              (Values{{1, 0.25F}, {2, 0.5F}, {3, 0.75F}}));
  }
  CurveFiles third(folder);
  third.Add("a", At(5, 1));  // the fourth point got lost
  third.Complete("a", {At(1, 0.25), At(2, 0.5), At(3, 0.75), At(4, 0.875), At(5, 1)});
  EXPECT_EQ(Read(JoinPath(folder, "a"), "search/performance"),
            (Values{{1, 0.25F}, {2, 0.5F}, {3, 0.75F}, {4, 0.875F}, {5, 1.0F}}));
}

TEST(CurveFilesTest, AFolderThatCannotBeMadeStopsNothing) {
  const std::string file = JoinPath(TestFolder("blocked"), "file");
  ASSERT_THAT(WriteFileAtomically(file, "x"), IsOk());
  CurveFiles curves(file);
  curves.Add("a", At(1, 0.25));
  curves.Complete("a", {At(1, 0.25)});
  EXPECT_EQ(*ReadFile(file), "x");
}

}  // namespace
}  // namespace op3d::benchmarks
