#include "op3d/train/log/training_log.h"

#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using testing::ElementsAre;

// "step 1.2.3" for each line.
std::vector<std::string> Lines(const std::string& path) {
  std::vector<std::string> lines;
  for (const absl::string_view text : absl::StrSplit(*ReadFile(path), '\n', absl::SkipEmpty())) {
    const auto json = nlohmann::json::parse(text);
    lines.push_back(absl::StrCat(json["event"].get<std::string>(), " ", json.value("state", 0), ".",
                                 json.value("epoch", 0), ".", json.value("step", 0)));
  }
  return lines;
}

TEST(TrainingLogTest, GoesBackToAPlace) {
  const std::string path = JoinPath(TestFolder("log"), "log.jsonl");
  {
    ASSERT_OK_AND_ASSIGN(const auto log, TrainingLog::Open(path));
    log->Note("started", {{"threads", 2}});
    for (int state = 1; state <= 2; ++state) {
      for (int epoch = 1; epoch <= 2; ++epoch) {
        for (int step = 1; step <= 2; ++step) log->Write("step", {state, epoch, step}, {});
        log->Write("epoch", {state, epoch, 0}, {{"loss", 0.5}}, {{"seconds", 2}});
      }
    }
  }
  ASSERT_OK_AND_ASSIGN(const auto log, TrainingLog::Open(path));
  ASSERT_THAT(log->Rollback(2, 1, 1, 1), IsOk());
  EXPECT_THAT(Lines(path), ElementsAre("started 0.0.0", "step 1.1.1", "step 1.1.2", "epoch 1.1.0",
                                       "step 1.2.1", "step 1.2.2", "epoch 1.2.0", "step 2.1.1",
                                       "step 2.1.2", "epoch 2.1.0", "step 2.2.1"));
  EXPECT_EQ((*TrainingLog::LastEpoch(path))["state"], 2);
  ASSERT_THAT(log->Rollback(1, 2, 0, 1), IsOk());  // trained, but not yet reported
  log->Write("epoch", {1, 2, 0}, {});
  EXPECT_THAT(Lines(path), ElementsAre("started 0.0.0", "step 1.1.1", "step 1.1.2", "epoch 1.1.0",
                                       "step 1.2.1", "step 1.2.2", "epoch 1.2.0"));
}

TEST(TrainingLogTest, WithoutAnEpochThereIsNoLast) {
  const std::string path = JoinPath(TestFolder("new"), "log.jsonl");
  EXPECT_THAT(TrainingLog::LastEpoch(path).status(),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("log.jsonl")));
  ASSERT_THAT(WriteFileAtomically(path, "{\"event\":3}\nnonsense\n[]\n"), IsOk());
  EXPECT_TRUE(TrainingLog::LastEpoch(path)->is_null());
}

TEST(TrainingLogTest, ALineThatWasCutOffGoes) {
  const std::string path = JoinPath(TestFolder("torn"), "log.jsonl");
  {
    ASSERT_OK_AND_ASSIGN(const auto log, TrainingLog::Open(path));
    log->Write("step", {1, 1, 1}, {{"loss", 1.0 / 3}});
  }
  ASSERT_OK_AND_ASSIGN(const std::string whole, ReadFile(path));
  EXPECT_THAT(whole,
              testing::StartsWith(
                  R"({"event":"step","state":1,"epoch":1,"step":1,"loss":0.3333333333333333,)"
                  R"("volatile":{"time":")"));
  ASSERT_THAT(WriteFileAtomically(path, whole + whole.substr(0, 20)), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto log, TrainingLog::Open(path));
  EXPECT_EQ(*ReadFile(path), whole);
}

TEST(TrainingLogTest, AFolderThatIsGoneIsASentence) {
  EXPECT_THAT(TrainingLog::Open("/gone/log.jsonl").status(),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("/gone/log.jsonl")));
}

}  // namespace
}  // namespace op3d
