#include "benchmarks/settings/own_settings.h"

#include <google/protobuf/util/message_differencer.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/testing/status_matchers.h"
#include "op3d/base/textproto.h"
#include "planner/graphs/transition_graph.h"

namespace op3d::benchmarks {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr OwnMachine kLaptop = {false, int64_t{16} << 30};

// `count` videos of `classes` classes in turn, `frames` long, 128x96, in groups of four.
OwnFacts Facts(int count, int classes, int64_t frames) {
  OwnFacts facts;
  facts.dataset.set_name("gestures");
  facts.dataset.set_classes(classes);
  facts.dataset.mutable_train()->set_list("train.txt");
  facts.dataset.mutable_evaluation()->set_list("test.txt");
  for (int i = 0; i < count; ++i) {
    const int64_t label = i % classes;
    const std::string group = absl::StrCat(label, "_g", i / classes / 4);
    facts.train.push_back({absl::StrCat("a", i), label, frames, 128, 96, group});
    if (i % 2 == 0) {
      facts.evaluation.push_back({absl::StrCat("b", i), label, frames, 128, 96, "t" + group});
    }
  }
  // A step of two would leave out every other class.
  for (size_t i = 0; i < facts.evaluation.size(); ++i) {
    facts.evaluation[i].label = static_cast<int64_t>(i) % classes;
  }
  return facts;
}

BenchmarkSettings Asked() {
  BenchmarkSettings asked;
  asked.set_seed(1);
  return asked;
}

absl::StatusOr<BenchmarkSettings> Derive(const OwnFacts& facts) {
  return DeriveOwnSettings(facts, kLaptop, Asked());
}

const BenchmarkSettings::Derived& Line(const BenchmarkSettings& settings,
                                       const std::string& field) {
  static const BenchmarkSettings::Derived none;
  for (const BenchmarkSettings::Derived& line : settings.derived()) {
    if (line.field() == field) return line;
  }
  return none;
}

std::vector<int> Lengths(const TransitionGraph& graph) {
  std::vector<int> lengths;
  for (const StateSettings& state : graph.states()) {
    if (lengths.empty() || planner::FramesPerClip(state) > lengths.back()) {
      lengths.push_back(planner::FramesPerClip(state));
    }
  }
  return lengths;
}

// As measured on five classes of UCF101: a small network at 56x56, a third held out.
TEST(OwnSettingsTest, ASmallSetOfRealVideo) {
  const OwnFacts facts = Facts(440, 5, 150);
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, Derive(facts));
  EXPECT_EQ(settings.scale(), BenchmarkSettings::OWN);
  EXPECT_EQ(settings.benchmark(), "gestures");
  EXPECT_EQ(settings.network().name(), "dg_p3d_miniature");
  EXPECT_EQ(settings.transform().train_crop(), 56);
  EXPECT_EQ(settings.transform().test_crop(), 56);
  EXPECT_EQ(settings.transform().test_short_side(), 64);
  EXPECT_FALSE(settings.transform().horizontal_flip());
  EXPECT_NEAR(settings.search().held_out_share(), 1.0 / 3, 0.001);
  ASSERT_EQ(settings.search().pools_size(), 2);
  for (const TransitionGraph& pool : settings.search().pools()) {
    EXPECT_THAT(planner::ValidateGraph(pool), IsOk());
    EXPECT_EQ(pool.states_size(), 9);
    EXPECT_EQ(pool.transitions_size(), 14);
    EXPECT_THAT(Lengths(pool), ElementsAre(16, 32, 64));
    for (const StateSettings& state : pool.states()) {
      EXPECT_EQ(state.batch_size() * state.accumulation(), 16);
      EXPECT_FALSE(state.frozen_batch_norm());
    }
  }
  EXPECT_EQ(settings.search().pools(0).states(0).learning_rate(), 0.04);
  // 660 videos of 150 pictures of 128x96.
  constexpr int64_t kMib = int64_t{660} * 150 * 128 * 96 * 3 / 1048576;
  EXPECT_GE(settings.loader().frame_cache_mib(), kMib);
  EXPECT_LE(settings.loader().frame_cache_mib(), kMib + 64);
  EXPECT_EQ(settings.recipes_size(), 2);
  EXPECT_EQ(settings.search().wide().clips_size(), 6);
  // In the rounds that are shipped for the miniatures.
  WideGraphSettings shipped;
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunfilePath("planner/graphs/wide_miniature.textproto"));
  ASSERT_THAT(ReadTextproto(path, &shipped), IsOk());
  shipped.mutable_clips()->CopyFrom(settings.search().wide().clips());
  shipped.set_frames(settings.search().wide().frames());
  EXPECT_TRUE(MessageDifferencer::Equals(settings.search().wide(), shipped))
      << settings.search().wide().DebugString();
  EXPECT_EQ(settings.rivals().clips_size() * settings.rivals().rates_size(), 9);
  EXPECT_THAT(CheckOwnSettings(facts, settings), IsOk());
}

TEST(OwnSettingsTest, EverythingChosenHasAReason) {
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, Derive(Facts(440, 5, 150)));
  for (const BenchmarkSettings::Derived& line : settings.derived()) {
    EXPECT_NE(line.value(), "") << line.field();
    EXPECT_EQ(line.value().find('\n'), std::string::npos) << line.field();
    EXPECT_NE(line.reason(), "") << line.field();
  }
  for (const char* field :
       {"dataset.classes", "network.name", "transform.train_crop", "transform.horizontal_flip",
        "loader.frame_cache_mib", "search.held_out_share", "search.pools", "search.wide", "rivals",
        "recipes"}) {
    EXPECT_NE(Line(settings, field).value(), "") << field;
  }
  EXPECT_EQ(Line(settings, "transform.train_crop").value(), "56");
  EXPECT_THAT(Line(settings, "transform.train_crop").reason(), HasSubstr("128x96"));
}

TEST(OwnSettingsTest, ClipsFitIntoThreeOfFourVideos) {
  OwnFacts facts = Facts(100, 5, 60);
  // A fifth of the videos is shorter.
  for (size_t i = 0; i < 20; ++i) facts.train[i].frames = 17;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, Derive(facts));
  EXPECT_THAT(Lengths(settings.search().pools(0)), ElementsAre(16, 32, 48));
  EXPECT_THAT(Lengths(settings.search().pools(1)), ElementsAre(16, 32, 48));
  for (size_t i = 0; i < 30; ++i) facts.train[i].frames = 17;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings shorter, Derive(facts));
  const TransitionGraph& pool = shorter.search().pools(0);
  EXPECT_THAT(Lengths(pool), ElementsAre(16));
  EXPECT_THAT(planner::ValidateGraph(pool), IsOk());
  EXPECT_EQ(pool.states_size(), 3);
  EXPECT_EQ(shorter.recipes_size(), 2);  // no second length to hold the plan against
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings longer, Derive(Facts(100, 5, 300)));
  EXPECT_EQ(longer.search().pools(0).states(3).stride(), 2);
  EXPECT_EQ(longer.search().pools(0).states(0).stride(), 1);
}

TEST(OwnSettingsTest, SmallListsTakeSmallBatchesAndRates) {
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, Derive(Facts(80, 5, 60)));
  const StateSettings& state = settings.search().pools(0).states(0);
  EXPECT_EQ(state.batch_size(), 4);
  EXPECT_EQ(state.learning_rate(), 0.01);
}

TEST(OwnSettingsTest, SmallPicturesAreNotMadeLarger) {
  OwnFacts facts = Facts(100, 5, 60);
  for (OwnVideo& video : facts.train) video.width = video.height = 40;
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, Derive(facts));
  EXPECT_EQ(settings.transform().train_crop(), 32);
  EXPECT_EQ(settings.transform().search_short_side(), 36);
}

TEST(OwnSettingsTest, ALargeSetOnAGpuGetsTheLargeNetwork) {
  const OwnFacts facts = Facts(20000, 5, 300);
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings,
                       DeriveOwnSettings(facts, {true, int64_t{16} << 30}, Asked()));
  EXPECT_EQ(settings.network().name(), "dg_p3d_resnet50");
  EXPECT_EQ(settings.transform().train_crop(), 112);  // pictures of 128x96
  EXPECT_EQ(settings.search().held_out_share(), 0.1);
  const TransitionGraph& pool = settings.search().pools(0);
  EXPECT_THAT(planner::ValidateGraph(pool), IsOk());
  for (const StateSettings& state : pool.states()) {
    EXPECT_EQ(state.batch_size() * state.accumulation(), 256);
    EXPECT_LE(state.learning_rate(), 0.04);
    EXPECT_EQ(state.frozen_batch_norm(), planner::FramesPerClip(state) == 64);
  }
  // It does not fit into the memory.
  EXPECT_LE(settings.loader().frame_cache_mib(), 16 * 1024 / 3);
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings small, Derive(facts));
  EXPECT_EQ(small.network().name(), "dg_p3d_miniature");
}

TEST(OwnSettingsTest, WhatIsAskedDecidesWhatFollows) {
  BenchmarkSettings asked = Asked();
  asked.mutable_transform()->set_train_crop(112);
  asked.mutable_search()->set_held_out_share(0.2);
  OwnFacts facts = Facts(400, 5, 150);
  facts.dataset.mutable_protocol()->set_horizontal_flip(true);
  facts.dataset.mutable_protocol()->set_dropout(0.5);
  facts.dataset.mutable_protocol()->set_test_clips(3);
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, DeriveOwnSettings(facts, kLaptop, asked));
  EXPECT_EQ(settings.transform().search_crop(), 112);
  EXPECT_EQ(settings.transform().test_short_side(), 128);
  EXPECT_EQ(settings.search().held_out_share(), 0.2);
  EXPECT_TRUE(settings.transform().horizontal_flip());
  EXPECT_EQ(settings.network().dropout(), 0.5);
  EXPECT_EQ(settings.recipes(0).test_clips(), 3);
}

TEST(OwnSettingsTest, OverriddenFieldsAreNoted) {
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings derived, Derive(Facts(440, 5, 150)));
  BenchmarkSettings settings = derived;
  settings.mutable_transform()->set_horizontal_flip(true);
  settings.mutable_search()->mutable_pools()->RemoveLast();
  NoteOverridden(derived, &settings);
  EXPECT_EQ(Line(settings, "transform.horizontal_flip").value(), "true");
  EXPECT_THAT(Line(settings, "transform.horizontal_flip").reason(), HasSubstr("gave false"));
  EXPECT_EQ(Line(settings, "search.pools").value(), "as given");
  EXPECT_EQ(Line(settings, "network.name").reason(), Line(derived, "network.name").reason());
}

TEST(OwnSettingsTest, VideosOfTheTestInTheTrainingListAreSaid) {
  OwnFacts facts = Facts(100, 5, 60);
  facts.evaluation[0] = facts.train[0];
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings settings, Derive(facts));
  EXPECT_THAT(Line(settings, "dataset.evaluation").reason(), HasSubstr("1 video of the test"));
  facts.evaluation[0].name = "another";
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings group, Derive(facts));
  EXPECT_THAT(Line(group, "dataset.evaluation").reason(), HasSubstr("1 groups of the test"));
}

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(OwnSettingsTest, DataThatCannotBeTrainedOnAreRefused) {
  OwnFacts facts = Facts(100, 5, 60);
  for (OwnVideo& video : facts.evaluation) video.label = -1;
  EXPECT_THAT(Derive(facts), StatusIs(kInvalid, HasSubstr("test.txt has no labels")));

  EXPECT_THAT(Derive(Facts(100, 1, 60)), StatusIs(kInvalid, HasSubstr("are of one class")));

  EXPECT_THAT(Derive(Facts(100, 5, 12)),
              StatusIs(kInvalid, AllOf(HasSubstr("has 12 frames"), HasSubstr("16 frames"))));

  OwnFacts few = Facts(4, 2, 60);
  for (OwnVideo& video : few.train) video.group.clear();
  EXPECT_THAT(Derive(few), StatusIs(kInvalid, HasSubstr("fewer than the smallest batch, 4")));

  EXPECT_THAT(Derive(Facts(20, 5, 60)),  // one group a class
              StatusIs(kInvalid, HasSubstr("can be held out")));
}

TEST(OwnSettingsTest, OverridesThatTheDataCannotGiveAreRefused) {
  const OwnFacts facts = Facts(100, 5, 60);
  ASSERT_OK_AND_ASSIGN(const BenchmarkSettings derived, Derive(facts));
  BenchmarkSettings settings = derived;
  settings.mutable_search()->mutable_pools(0)->mutable_states(3)->set_stride(2);
  EXPECT_THAT(CheckOwnSettings(facts, settings),
              StatusIs(kInvalid, AllOf(HasSubstr("state S4"), HasSubstr("spans 96 frames"),
                                       HasSubstr("longest video has 60"))));
  settings = derived;
  settings.mutable_recipes(1)->mutable_hand_tuned()->mutable_state()->set_batch_size(101);
  EXPECT_THAT(CheckOwnSettings(facts, settings),
              StatusIs(kInvalid, AllOf(HasSubstr("recipe hand_tuned"), HasSubstr("101 clips"))));
  settings = derived;
  settings.mutable_search()->set_held_out_share(0.001);
  EXPECT_THAT(CheckOwnSettings(facts, settings), StatusIs(kInvalid, HasSubstr("can be held out")));
}

TEST(OwnSettingsTest, NamesAreFitForFiles) {
  EXPECT_EQ(FileNameOf("my data"), "my_data");
  EXPECT_EQ(FileNameOf("../a.b"), "_._a.b");
  EXPECT_EQ(FileNameOf(""), "own");
  EXPECT_EQ(FileNameOf("/"), "own");
}

}  // namespace
}  // namespace op3d::benchmarks
