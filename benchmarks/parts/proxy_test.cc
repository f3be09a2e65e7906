#include "benchmarks/parts/proxy.h"

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"

namespace op3d::benchmarks {
namespace {

using testing::SizeIs;

BenchmarkSettings Settings() {
  BenchmarkSettings settings;
  EXPECT_THAT(ParseTextproto(
                  R"pb(
                    seed: 7
                    transform { train_crop: 56 search_short_side: 64 search_crop: 56 test_crop: 56 }
                    network { name: "dg_p3d_miniature" width: 16 }
                    search { proxy { videos: 0.5 crop: 28 width: 8 } }
                  )pb",
                  "settings", &settings),
              IsOk());
  return settings;
}

TEST(ProxyTest, ChangesCropWidthAndVideos) {
  const BenchmarkSettings small = ProxySettings(Settings());
  EXPECT_EQ(small.transform().train_crop(), 28);
  EXPECT_EQ(small.transform().search_crop(), 28);
  EXPECT_EQ(small.transform().search_short_side(), 32);
  EXPECT_EQ(small.transform().test_crop(), 56);
  EXPECT_EQ(small.network().width(), 8);
  EXPECT_EQ(ProxyFrame(Settings()), 0.25);
  EXPECT_EQ(ProxyPaths(Settings()), 2);

  std::vector<data::Video> videos;
  for (int i = 0; i < 60; ++i) {
    data::Video video;
    video.name = absl::StrCat("v", i);
    video.label = i % 3;
    videos.push_back(video);
  }
  const std::vector<data::Video> half = ProxyVideos(Settings(), videos);
  EXPECT_THAT(half, SizeIs(30));
  std::map<int64_t, int> labels;
  for (const data::Video& video : half) ++labels[video.label];
  EXPECT_EQ(labels, (std::map<int64_t, int>{{0, 10}, {1, 10}, {2, 10}}));
  BenchmarkSettings other = Settings();
  other.set_seed(8);
  const auto names = [](const std::vector<data::Video>& list) {
    std::set<std::string> result;
    for (const data::Video& video : list) result.insert(video.name);
    return result;
  };
  EXPECT_EQ(names(ProxyVideos(Settings(), videos)), names(half));
  EXPECT_NE(names(ProxyVideos(other, videos)), names(half));
}

TEST(ProxyTest, WithoutOneNothingChanges) {
  BenchmarkSettings settings = Settings();
  settings.mutable_search()->clear_proxy();
  EXPECT_EQ(ProxySettings(settings).SerializeAsString(), settings.SerializeAsString());
  EXPECT_EQ(ProxyFrame(settings), 1);
  EXPECT_THAT(ProxyVideos(settings, std::vector<data::Video>(5)), SizeIs(5));
}

TEST(ProxyTest, TakesThePlansOfTheBestFinalStates) {
  SearchOutcome outcome;
  ASSERT_THAT(ParseTextproto(R"pb(
                               graph {
                                 pool: "wide"
                                 initial: "S0"
                                 states { name: "A" frames_per_segment: 16 }
                                 states { name: "B" frames_per_segment: 32 }
                                 states { name: "C" frames_per_segment: 16 }
                                 states { name: "D" frames_per_segment: 64 }
                                 finals: [ "B", "C", "D" ]
                               }
                               edges { from: "S0" to: "A" epochs: 4 }
                               edges { from: "A" to: "B" epochs: 3 }
                               edges { from: "A" to: "C" epochs: 2 }
                               edges { from: "A" to: "D" epochs: 0 }
                               nodes { state: "A" value: 0.5 from: "S0" }
                               nodes { state: "B" value: 0.6 from: "A" }
                               nodes { state: "C" value: 0.8 from: "A" }
                             )pb",
                             "outcome", &outcome),
              IsOk());
  const std::vector<Plan> plans = BestPlans(outcome, 5);
  ASSERT_THAT(plans, SizeIs(2));
  EXPECT_EQ(plans[0].value(), 0.8);
  ASSERT_THAT(plans[0].steps(), SizeIs(2));
  EXPECT_EQ(plans[0].steps(0).state().name(), "A");
  EXPECT_EQ(plans[0].steps(0).epochs(), 4);
  EXPECT_EQ(plans[0].steps(1).state().name(), "C");
  EXPECT_EQ(plans[0].steps(1).epochs(), 2);
  EXPECT_EQ(plans[1].steps(1).state().name(), "B");
  EXPECT_THAT(BestPlans(outcome, 1), SizeIs(1));
}

}  // namespace
}  // namespace op3d::benchmarks
