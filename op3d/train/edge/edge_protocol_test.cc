#include "op3d/train/edge/edge_protocol.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/training_failure.h"

namespace op3d {
namespace {

using testing::HasSubstr;

// A line as planner/runner/child_runner.cc writes it.
constexpr char kLine[] =
    R"({"protocol":1,"request":"train","epoch":3,"edge":"S1-S2","state":{"name":"S2","segments":4,)"
    R"("frames_per_segment":8,"stride":2,"learning_rate":0.0024,"batch_size":16,"accumulation":2,)"
    R"("frozen_batch_norm":true},"source":"/a/S0-S1","folder":"/a/S1-S2"})";

std::string Replaced(const std::string& from, const std::string& to) {
  std::string line = kLine;
  line.replace(line.find(from), from.size(), to);
  return line;
}

TEST(EdgeProtocolTest, ReadsARequest) {
  ASSERT_OK_AND_ASSIGN(const EdgeRequest request, ParseEdgeRequest(kLine));
  EXPECT_EQ(request.request(), kTrainRequest);
  EXPECT_EQ(request.epoch(), 3);
  const EdgeTask task = ToEdgeTask(request);
  EXPECT_EQ(task.name(), "S1-S2");
  EXPECT_EQ(task.epochs(), 0);
  EXPECT_EQ(task.source(), "/a/S0-S1");
  EXPECT_EQ(task.folder(), "/a/S1-S2");
  EXPECT_EQ(task.state().name(), "S2");
  EXPECT_EQ(task.state().segments(), 4);
  EXPECT_EQ(task.state().frames_per_segment(), 8);
  EXPECT_EQ(task.state().stride(), 2);
  EXPECT_EQ(task.state().learning_rate(), 0.0024);
  EXPECT_EQ(task.state().batch_size(), 16);
  EXPECT_EQ(task.state().accumulation(), 2);
  EXPECT_TRUE(task.state().frozen_batch_norm());
}

TEST(EdgeProtocolTest, WhatAPlannerAsksComesAcross) {
  EdgeTask task;
  task.set_name("S1-S2");
  task.set_source("/a/S0-S1");
  task.set_folder("/a/\"quoted\"/S1-S2");
  StateSettings& state = *task.mutable_state();
  state.set_name("S2");
  state.set_segments(4);
  state.set_frames_per_segment(8);
  state.set_stride(2);
  state.set_learning_rate(0.1);
  state.set_batch_size(16);
  state.set_accumulation(2);
  EXPECT_EQ(
      nlohmann::json::parse(RequestLine(task, kMeasureRequest, 0)),
      nlohmann::json::parse(
          R"({"protocol":1,"request":"measure","epoch":0,"edge":"S1-S2","state":{"name":"S2",)"
          R"("segments":4,"frames_per_segment":8,"stride":2,"learning_rate":0.1,"batch_size":16,)"
          R"("accumulation":2,"frozen_batch_norm":false,"crop":0},"source":"/a/S0-S1",)"
          R"("folder":"/a/\"quoted\"/S1-S2"})"));
  task.set_epochs(7);
  state.set_frozen_batch_norm(true);
  state.set_crop(56);
  state.set_learning_rate(1.0 / 3);
  state.mutable_schedule()->mutable_linear();
  ASSERT_OK_AND_ASSIGN(const EdgeRequest request,
                       ParseEdgeRequest(RequestLine(task, kEstimateRequest, 100)));
  EXPECT_EQ(request.request(), kEstimateRequest);
  EXPECT_EQ(request.epoch(), 100);
  EXPECT_EQ(ToEdgeTask(request).SerializeAsString(), task.SerializeAsString());
}

TEST(EdgeProtocolTest, WhatIsWrongIsNamed) {
  const auto message = [](const std::string& line) {
    return std::string(ParseEdgeRequest(line).status().message());
  };
  EXPECT_THAT(message("hello"), HasSubstr("is not a JSON object: hello"));
  EXPECT_THAT(message("[1]"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(message("{torn"), HasSubstr("cannot be read: "));
  EXPECT_THAT(message(Replaced("\"protocol\":1", "\"protocol\":2")), HasSubstr("protocol 2"));
  EXPECT_THAT(message(Replaced("\"train\"", "\"rest\"")),
              HasSubstr("measure, train, keep and estimate"));
  EXPECT_THAT(message(Replaced("\"epoch\":3", "\"epoch\":0")), HasSubstr("at least 1"));
  EXPECT_THAT(message(Replaced("\"epoch\":3", "\"epoch\":3.5")), HasSubstr("epoch"));
  EXPECT_THAT(message(Replaced("\"stride\":2", "\"stride\":0")), HasSubstr("\"stride\" of 0"));
  EXPECT_THAT(message(Replaced("0.0024", "-1")), HasSubstr("learning_rate"));
  EXPECT_THAT(message(Replaced("\"/a/S1-S2\"", "\"\"")), HasSubstr("folder"));
  EXPECT_THAT(message(Replaced("\"source\"", "\"sauce\"")), HasSubstr("sauce"));
  EXPECT_THAT(message(Replaced("\"source\":\"/a/S0-S1\",", "")), HasSubstr("no \"source\""));
  EXPECT_THAT(message(Replaced("true", "1")), HasSubstr("frozen_batch_norm"));
  EXPECT_THAT(message(Replaced("true}", "true,\"schedule\":{\"bent\":{}}}")), HasSubstr("bent"));
}

TEST(EdgeProtocolTest, AnswersKeepEveryBit) {
  CurvePoint point;
  point.set_epoch(2);
  point.set_performance(1.0 / 3);
  point.set_top3(0.5);
  point.set_top5(1);
  point.set_loss(2.25);
  EXPECT_EQ(MeasureAnswer(point, 0.125),
            R"({"epoch":2,"performance":0.33333333333333331,"top1":0,"top3":0.5,"top5":1,)"
            R"("loss":2.25,"chance":0.125})");
  ASSERT_OK_AND_ASSIGN(const EdgeAnswer answer, ParseEdgeAnswer(MeasureAnswer(point, 0.125)));
  EXPECT_EQ(answer.performance(), 1.0 / 3);
  EXPECT_FALSE(answer.has_probability());
  point.Clear();
  point.set_epoch(3);
  point.set_loss(2.25);
  point.set_probability(0.5);
  point.set_unmeasured(true);
  EXPECT_EQ(MeasureAnswer(point, 0.125),
            R"({"epoch":3,"performance":0,"top1":0,"top3":0,"top5":0,"loss":2.25,)"
            R"("chance":0.125,"probability":0.5,"unmeasured":true})");
  EXPECT_EQ(KeepAnswer(0), R"({"epoch":0})");
  EXPECT_EQ(ErrorAnswer(absl::InternalError("no \"x\"")), R"({"error":"no \"x\""})");
  EXPECT_EQ(
      ErrorAnswer(MarkTrainingFailure(absl::InternalError("in /tmp: it is nan"), "it is nan")),
      R"({"error":"it is nan","failed":true})");
  // A name of a file need not be UTF-8.
  EXPECT_EQ(ErrorAnswer(absl::InternalError("no file \xff.mp4")),
            "{\"error\":\"no file \xef\xbf\xbd.mp4\"}");
}

TEST(EdgeProtocolTest, EstimatesAreNumbers) {
  EdgeCost cost;
  cost.set_epoch(100);
  cost.set_clips(228);
  cost.set_train_seconds(1.5);
  cost.set_measure_seconds(0.25);
  cost.set_memory_bytes(3e12);
  cost.set_training_bytes(2);
  cost.set_kept_bytes(0);
  const std::string line = EstimateAnswer(cost);
  EXPECT_EQ(line, R"({"epoch":100,"clips":228,"train_seconds":1.5,"measure_seconds":0.25,)"
                  R"("memory_bytes":3000000000000,"training_bytes":2,"kept_bytes":0})");
  ASSERT_OK_AND_ASSIGN(const EdgeCost read, ParseEdgeCost(line));
  EXPECT_EQ(read.SerializeAsString(), cost.SerializeAsString());
  EXPECT_THAT(ParseEdgeCost(R"({"epoch":100,"clips":228})").status().message(),
              HasSubstr("has no \"train_seconds\""));
  cost.set_kept_bytes(-1);
  EXPECT_THAT(ParseEdgeCost(EstimateAnswer(cost)).status().message(),
              HasSubstr("has a \"kept_bytes\" that is out of range"));
}

TEST(EdgeProtocolTest, AnAnswerInAnotherProtocolIsRefused) {
  EXPECT_THAT(ParseEdgeAnswer(R"({"epoch": 1, "protocol": 1})"), IsOk());
  EXPECT_THAT(
      ParseEdgeAnswer(R"({"protocol": 2, "epoch": 1, "performance": 0.5})").status().message(),
      HasSubstr("is in protocol 2; this planner speaks 1: use planner and child of one version"));
}

// Python and C++ print values that JSON does not have.
TEST(EdgeProtocolTest, WhatIsNotFiniteComesAsNaN) {
  for (const char* value : {"NaN", "-Infinity", "inf", "-nan", "null"}) {
    ASSERT_OK_AND_ASSIGN(const EdgeAnswer answer,
                         ParseEdgeAnswer(absl::StrCat(R"({"note": "NaN \" null", "performance": )",
                                                      value, R"(, "unmeasured": false})")));
    EXPECT_TRUE(std::isnan(answer.performance())) << value;
  }
  // Elsewhere null is a field that is not set.
  ASSERT_OK_AND_ASSIGN(
      const EdgeAnswer answer,
      ParseEdgeAnswer(
          R"({"epoch": 1, "performance": 0.5, "loss": null, "error": null, "failed": null})"));
  EXPECT_EQ(answer.performance(), 0.5);
  EXPECT_TRUE(std::isnan(answer.loss()));
  EXPECT_FALSE(answer.failed());
  EXPECT_EQ(answer.error(), "");
  EXPECT_THAT(ParseEdgeAnswer("{torn").status().message(), HasSubstr("the child's answer {torn"));
}

}  // namespace
}  // namespace op3d
