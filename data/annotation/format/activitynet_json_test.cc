#include "data/annotation/format/activitynet_json.h"

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<std::vector<ActivityNetVideo>> Parse(const std::string& text) {
  return ParseActivityNetJson(text, "anet.json");
}

TEST(ActivityNetJsonTest, ReadsTheOfficialForm) {
  ASSERT_OK_AND_ASSIGN(
      const auto videos,
      Parse("{\"taxonomy\": [{\"nodeName\": \"Root\", \"nodeId\": 0}], \"version\": \"VERSION "
            "1.3\",\n"
            "\"database\": {\"-a\": {\"duration\": 82.7, \"subset\": \"training\", \"resolution\": "
            "\"320x240\",\"url\": \"http://x\", \"annotations\": [{\"segment\": [6.2, 77.75], "
            "\"label\": \"Ballet\"}]},\n"
            "\"b\": {\"duration\": 3, \"subset\": \"testing\", \"annotations\": []},\n"
            "\"c\": {\"subset\": \"testing\"}}}"));
  ASSERT_EQ(videos.size(), 3);
  EXPECT_EQ(videos[0].id, "-a");
  EXPECT_EQ(videos[0].subset, "training");
  ASSERT_EQ(videos[0].segments.size(), 1);
  EXPECT_EQ(videos[0].segments[0].start_seconds, 6.2);
  EXPECT_EQ(videos[0].segments[0].end_seconds, 77.75);
  EXPECT_EQ(videos[0].duration_seconds, 82.7);
  EXPECT_EQ(videos[0].Label(), "Ballet");
  EXPECT_EQ(videos[0].line, 2);
  EXPECT_EQ(videos[1].Label(), "");
  EXPECT_EQ(videos[1].line, 3);
}

TEST(ActivityNetJsonTest, TheClassShownLongestIsTheLabel) {
  ActivityNetVideo video;
  video.segments = {{"a", 0, 5}, {"b", 6, 10}, {"b", 20, 22}};
  EXPECT_EQ(video.Label(), "b");
  video.segments = {{"b", 0, 5}, {"a", 6, 11}};
  EXPECT_EQ(video.Label(), "b");  // the first of equals
  video.segments = {{"b", 9, 5}, {"a", 6, 6.5}};
  EXPECT_EQ(video.Label(), "a");  // a segment that ends before it starts shows nothing
  video.segments = {{"b", 9, 5}};
  EXPECT_EQ(video.Label(), "b");
}

TEST(ActivityNetJsonTest, SegmentsAreCutAtTheVideosEnds) {
  ActivityNetVideo video;
  video.segments = {{"a", 1.2, 12.26}, {"b", 0, 1.5}};
  EXPECT_EQ(video.Label(), "a");  // nobody says how long the video is
  video.duration_seconds = 1.6;
  EXPECT_EQ(video.Label(), "b");
  video.segments = {{"a", -3, 1}, {"b", 0, 1.5}};
  EXPECT_EQ(video.Label(), "b");
  video.segments = {{"a", 2, 3}, {"b", 0, 0.1}};
  EXPECT_EQ(video.Label(), "b");
  video.segments = {{"a", 2, 3}};
  EXPECT_EQ(video.Label(), "a");  // it shows nothing, but it is all there is
}

TEST(ActivityNetJsonTest, RefusesEntriesThatCannotBe) {
  EXPECT_THAT(Parse("{\"database\":\n{\"a\": {\"annotations\": []}}}"),
              StatusIs(kInvalid, AllOf(HasSubstr("anet.json:2: no subset of 'a' in "
                                                 "'{\"annotations\":[]}'"),
                                       HasSubstr("expected {\"database\""))));
  const std::string start = "{\"database\": {\"a\": {\"subset\": \"training\", \"annotations\": ";
  EXPECT_THAT(Parse(start + "5}}}"), StatusIs(kInvalid, HasSubstr("no list of annotations")));
  for (const char* annotation :
       {"5", "{}", "{\"label\": \"x\"}", "{\"segment\": [0, 1]}",
        "{\"label\": \"x\", \"segment\": [0]}", "{\"label\": \"x\", \"segment\": [0, \"1\"]}"}) {
    EXPECT_THAT(Parse(start + "[" + annotation + "]}}}"),
                StatusIs(kInvalid, HasSubstr("an annotation of 'a' without")))
        << annotation;
  }
  EXPECT_THAT(Parse("{\"database\": {\"a/b\": {\"subset\": \"x\"}}}"),
              StatusIs(kInvalid, HasSubstr("no usable id")));
  EXPECT_THAT(Parse("{\"database\": {\"a\": {\"subset\": \"x\"},\n\"a\": {\"subset\": \"x\"}}}"),
              StatusIs(kInvalid, HasSubstr("anet.json:2: the video of line 1 once more")));
  EXPECT_THAT(Parse("{\"database\": {\"a\": 5}}"), StatusIs(kInvalid, HasSubstr("no subset")));
  EXPECT_THAT(Parse("{\"v_a\": {\"annotations\": []}}"),
              StatusIs(kInvalid, HasSubstr("no video in a \"database\"")));
  EXPECT_THAT(Parse("[1]"), StatusIs(kInvalid, HasSubstr("no video in a \"database\"")));
  EXPECT_THAT(Parse("video,numFrame,seconds\n"), StatusIs(kInvalid, HasSubstr("not JSON")));
}

}  // namespace
}  // namespace op3d::data
