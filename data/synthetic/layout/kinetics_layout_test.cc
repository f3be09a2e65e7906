#include "data/synthetic/layout/kinetics_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::MatchesRegex;

Miniature TwoClasses() {
  Miniature miniature;
  miniature.name = "two";
  miniature.classes = {{"up", "short", {}, {}, {}}, {"salt, \"then\" pepper", "long", {}, {}, {}}};
  return miniature;
}

TEST(KineticsLayoutTest, NamesAreLikeTheRealOnes) {
  const std::vector<KineticsVideo> videos = NameKineticsVideos(TwoClasses(), "train", 400, 1);
  std::set<std::string> ids;
  for (int i = 0; i < 400; ++i) {
    EXPECT_EQ(videos[i].video_class, i % 2);
    EXPECT_THAT(KineticsFileName(videos[i]),
                MatchesRegex("[A-Za-z0-9_-]{11}_000[0-9]{3}_000[0-9]{3}\\.mp4"));
    ids.insert(videos[i].id);
  }
  EXPECT_EQ(ids.size(), 400);
}

TEST(KineticsLayoutTest, NamesDependOnTheVideoOnly) {
  const auto ids = [](absl::string_view split, int count, uint64_t seed) {
    std::vector<std::string> names;
    for (const KineticsVideo& video : NameKineticsVideos(TwoClasses(), split, count, seed)) {
      names.push_back(KineticsFileName(video));
    }
    return names;
  };
  const std::vector<std::string> few = ids("train", 3, 1);
  const std::vector<std::string> more = ids("train", 6, 1);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
  EXPECT_NE(few, ids("val", 3, 1));
  EXPECT_NE(few, ids("train", 3, 2));
}

TEST(KineticsLayoutTest, ListsQuoteWhatNeedsIt) {
  const std::vector<KineticsVideo> videos = {{"0wR5jVB-WPk", 417, 427, 1},
                                             {"--6bJUbfpnQ", 17, 27, 0}};
  const Miniature miniature = TwoClasses();
  EXPECT_EQ(KineticsCsv(miniature, "val", videos),
            "label,youtube_id,time_start,time_end,split,is_cc\n"
            "\"salt, \"\"then\"\" pepper\",0wR5jVB-WPk,417,427,val,0\n"
            "up,--6bJUbfpnQ,17,27,val,0\n");
  EXPECT_EQ(KineticsCsv(miniature, "test", videos),
            "youtube_id,time_start,time_end,split\n"
            "0wR5jVB-WPk,417,427,test\n"
            "--6bJUbfpnQ,17,27,test\n");
  EXPECT_EQ(KineticsPath(miniature, "val", videos[1]), "val/up/--6bJUbfpnQ_000017_000027.mp4");
  EXPECT_EQ(KineticsPath(miniature, "test", videos[1]), "test/--6bJUbfpnQ_000017_000027.mp4");
}

TEST(KineticsLayoutTest, ClassesAreListedAlphabetically) {
  EXPECT_EQ(KineticsLabelMap(TwoClasses()), "salt, \"then\" pepper\nup\n");
}

}  // namespace
}  // namespace op3d::data
