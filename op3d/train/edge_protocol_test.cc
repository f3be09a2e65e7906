#include "op3d/train/edge_protocol.h"

#include "op3d/base/status_matchers.h"
#include "op3d/base/training_failure.h"

namespace op3d {
namespace {

using testing::HasSubstr;

// A line as planner/child_runner.cc writes it.
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
  EXPECT_EQ(request.kind, EdgeRequest::kTrain);
  EXPECT_EQ(request.epoch, 3);
  EXPECT_EQ(request.edge, "S1-S2");
  EXPECT_EQ(request.source, "/a/S0-S1");
  EXPECT_EQ(request.folder, "/a/S1-S2");
  EXPECT_EQ(request.state.name(), "S2");
  EXPECT_EQ(request.state.segments(), 4);
  EXPECT_EQ(request.state.frames_per_segment(), 8);
  EXPECT_EQ(request.state.stride(), 2);
  EXPECT_EQ(request.state.learning_rate(), 0.0024);
  EXPECT_EQ(request.state.batch_size(), 16);
  EXPECT_EQ(request.state.accumulation(), 2);
  EXPECT_TRUE(request.state.frozen_batch_norm());
}

TEST(EdgeProtocolTest, AnEstimateNeedsABound) {
  ASSERT_OK_AND_ASSIGN(const EdgeRequest request,
                       ParseEdgeRequest(Replaced("\"train\"", "\"estimate\"")));
  EXPECT_EQ(request.kind, EdgeRequest::kEstimate);
  EXPECT_EQ(request.epoch, 3);
}

TEST(EdgeProtocolTest, WhatIsWrongIsNamed) {
  const auto message = [](const std::string& line) {
    return std::string(ParseEdgeRequest(line).status().message());
  };
  EXPECT_THAT(message("hello"), HasSubstr("no JSON object: hello"));
  EXPECT_THAT(message("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(message(Replaced("\"protocol\":1", "\"protocol\":2")), HasSubstr("protocol 2"));
  EXPECT_THAT(message(Replaced("\"train\"", "\"rest\"")),
              HasSubstr("measure, train, keep and estimate"));
  EXPECT_THAT(message(Replaced("\"epoch\":3", "\"epoch\":0")), HasSubstr("at least 1"));
  EXPECT_THAT(message(Replaced("\"epoch\":3", "\"epoch\":3.5")), HasSubstr("\"epoch\""));
  EXPECT_THAT(message(Replaced("\"stride\":2", "\"stride\":0")), HasSubstr("\"stride\" of 0"));
  EXPECT_THAT(message(Replaced("0.0024", "-1")), HasSubstr("learning_rate"));
  EXPECT_THAT(message(Replaced("\"/a/S1-S2\"", "\"\"")), HasSubstr("folder"));
  EXPECT_THAT(message(Replaced("\"source\"", "\"sauce\"")), HasSubstr("\"source\""));
  EXPECT_THAT(message(Replaced("true", "1")), HasSubstr("frozen_batch_norm"));
}

TEST(EdgeProtocolTest, ReadsAScheduleAndItsLength) {
  ASSERT_OK_AND_ASSIGN(
      const EdgeRequest request,
      ParseEdgeRequest(Replaced(
          "\"frozen_batch_norm\":true},",
          "\"frozen_batch_norm\":true,\"schedule\":{\"linear\":{\"final_learning_rate\":0.5}}},"
          "\"epochs\":7,")));
  EXPECT_EQ(request.epochs, 7);
  EXPECT_EQ(request.state.schedule().linear().final_learning_rate(), 0.5);
  EXPECT_THAT(ParseEdgeRequest(Replaced("\"frozen_batch_norm\":true},",
                                        "\"frozen_batch_norm\":true,\"schedule\":{\"bent\":{}}},"))
                  .status()
                  .message(),
              HasSubstr("\"schedule\""));
}

TEST(EdgeProtocolTest, AnswersKeepEveryBit) {
  EXPECT_EQ(MeasureAnswer(2, {1.0 / 3, 0, 0.5, 1, 2.25, 0.125}),
            R"({"epoch":2,"performance":0.3333333333333333,"top1":0.0,"top3":0.5,"top5":1.0,)"
            R"("loss":2.25,"chance":0.125})");
  EXPECT_EQ(MeasureAnswer(3, {0, 0, 0, 0, 2.25, 0.125, 0.5, true}),
            R"({"epoch":3,"performance":0.0,"top1":0.0,"top3":0.0,"top5":0.0,"loss":2.25,)"
            R"("chance":0.125,"probability":0.5,"unmeasured":true})");
  EXPECT_EQ(KeepAnswer(0), R"({"epoch":0})");
  EXPECT_EQ(EstimateAnswer(100, {228, 1.5, 0.25, 3, 2, 1}),
            R"({"epoch":100,"clips":228,"train_seconds":1.5,"measure_seconds":0.25,)"
            R"("memory_bytes":3,"training_bytes":2,"kept_bytes":1})");
  EXPECT_EQ(ErrorAnswer(absl::InternalError("no \"x\"")), R"({"error":"no \"x\""})");
  EXPECT_EQ(
      ErrorAnswer(MarkTrainingFailure(absl::InternalError("in /tmp: it is nan"), "it is nan")),
      R"({"error":"it is nan","failed":true})");
}

}  // namespace
}  // namespace op3d
