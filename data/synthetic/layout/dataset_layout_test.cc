#include "data/synthetic/layout/dataset_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace op3d::data {
namespace {

TEST(DatasetLayoutTest, GroupsAreListedAlphabetically) {
  Miniature miniature;
  miniature.classes = {{"up", "short", {}, {}, {}}, {"salt, \"then\" pepper", "long", {}, {}, {}}};
  EXPECT_EQ(GroupsCsv(miniature), "class,group\n\"salt, \"\"then\"\" pepper\",long\nup,short\n");
}

TEST(DatasetLayoutTest, YouTubeIdsHaveElevenLetters) {
  RandomStream stream(1, "id", {});
  EXPECT_THAT(DrawYouTubeId(&stream), testing::MatchesRegex("[A-Za-z0-9_-]{11}"));
}

}  // namespace
}  // namespace op3d::data
