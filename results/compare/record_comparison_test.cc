#include "results/compare/record_comparison.h"

#include <gmock/gmock.h>

#include <functional>

#include "absl/strings/match.h"
#include "results/compare/comparison_rules.h"
#include "results/record/compact_record.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ComparisonOptions Exact() {
  ComparisonOptions options;
  options.exact = true;
  return options;
}

// The differences between the fixture and the fixture after `change`.
std::vector<Difference> Planted(const std::function<void(RunRecord*)>& change,
                                const ComparisonOptions& options = {}) {
  RunRecord changed = MakeFixtureRecord();
  change(&changed);
  return CompareRecords(MakeFixtureRecord(), changed, options);
}

std::vector<std::string> Places(const std::vector<Difference>& differences) {
  std::vector<std::string> places;
  for (const Difference& difference : differences) places.push_back(difference.place);
  return places;
}

EdgeOutcome* Edge(RunRecord* record) { return record->mutable_searches(1)->mutable_edges(2); }

TEST(RecordComparisonTest, EveryFigureOfATestAndOfACurveHasARule) {
  for (const google::protobuf::Descriptor* message :
       {TestResult::descriptor(), CurvePoint::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      const google::protobuf::FieldDescriptor& field = *message->field(i);
      if (field.cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE ||
          absl::EndsWith(field.name(), "_seconds")) {
        continue;
      }
      EXPECT_NE(RuleOf(field), ComparisonRule::kEqual) << field.full_name();
    }
  }
}

TEST(RecordComparisonTest, OtherRightVideosCountOnlyExactly) {
  RunRecord record = MakeRolesFixtureRecord();
  RunRecord other = record;
  for (RecipeResult& recipe : *other.mutable_recipes()) {
    if (recipe.has_test()) recipe.mutable_test()->set_right("00");
  }
  EXPECT_THAT(CompareRecords(record, other, {}), IsEmpty());
  EXPECT_THAT(CompareRecords(record, other, Exact()), Not(IsEmpty()));
}

TEST(RecordComparisonTest, EqualRecordsAreEqualWhateverTheirTimes) {
  const auto volatile_change = [](RunRecord* record) {
    record->mutable_environment()->set_host("elsewhere");
    record->mutable_time()->set_wall(1);
    record->mutable_recipes(0)->set_train_seconds(1);
    Edge(record)->mutable_curve(1)->set_train_seconds(1);
  };
  EXPECT_THAT(Planted(volatile_change), IsEmpty());
  EXPECT_THAT(Planted(volatile_change, Exact()), IsEmpty());
}

TEST(RecordComparisonTest, ARunAgainstItsCompactRecord) {
  const RunRecord record = MakeFixtureRecord();
  EXPECT_THAT(CompareRecords(CompactRecord(record), record, Exact()), IsEmpty());
  EXPECT_THAT(CompareRecords(record, CompactRecord(record), {}), IsEmpty());
  RunRecord other = record;
  Edge(&other)->mutable_curve(3)->set_loss(0.123);
  EXPECT_THAT(Places(CompareRecords(CompactRecord(record), other, Exact())),
              ElementsAre("search 'us' > edge S10->S11 > curve at epoch 3 > loss"));
}

struct PlantedCase {
  const char* place;
  std::function<void(RunRecord*)> change;
};

TEST(RecordComparisonTest, EachPlantedDifferenceIsNamed) {
  const std::vector<PlantedCase> cases = {
      {"settings > seed", [](RunRecord* r) { r->mutable_settings()->set_seed(2); }},
      {"settings > sgd > momentum",
       [](RunRecord* r) { r->mutable_settings()->mutable_sgd()->set_momentum(0.91); }},
      {"settings > sgd > nesterov",
       [](RunRecord* r) { r->mutable_settings()->mutable_sgd()->set_nesterov(true); }},
      {"settings > search > pool 'us' > state 'S11' > learning rate",
       [](RunRecord* r) {
         StateSettings* state =
             r->mutable_settings()->mutable_search()->mutable_pools(1)->mutable_states(1);
         state->set_learning_rate(0.05);
       }},
      {"settings > recipe 'hand_tuned' > test clips",
       [](RunRecord* r) { r->mutable_settings()->mutable_recipes(1)->set_test_clips(3); }},
      {"recipe 'planned' > role",
       [](RunRecord* r) { r->mutable_recipes(0)->set_role(RecipeResult::PLANNED_MODEL); }},
      {"recipe 'planned' > held out",
       [](RunRecord* r) { r->mutable_recipes(0)->set_held_out(0.5); }},
      {"recipe 'planned' > candidate 'average'",
       [](RunRecord* r) { r->mutable_recipes(0)->add_candidates()->set_title("average"); }},
      {"dataset > list 'evaluation' > crc32",
       [](RunRecord* r) { r->mutable_dataset()->mutable_lists(2)->set_crc32(1); }},
      {"dataset > class 8",
       [](RunRecord* r) { r->mutable_dataset()->set_classes(7, "upside down"); }},
      {"search 'us' > edge S10->S11 > curve at epoch 3 > performance",
       [](RunRecord* r) { Edge(r)->mutable_curve(3)->set_performance(0.5); }},
      {"search 'us' > edge S10->S11 > knee > knee",
       [](RunRecord* r) { Edge(r)->mutable_knee()->set_knee(3); }},
      {"search 'us' > edge S10->S11 > ending",
       [](RunRecord* r) { Edge(r)->set_ending(EdgeOutcome::ENDING_UNSPECIFIED); }},
      {"search 'us' > edge S10->S11 > score", [](RunRecord* r) { Edge(r)->set_score(0.1); }},
      {"search 'us' > edge S10->S11 > fitted curve",
       [](RunRecord* r) { Edge(r)->mutable_knee()->set_e(0.99); }},
      {"search 'cs' > node 'S9' > from",
       [](RunRecord* r) { r->mutable_searches(0)->mutable_nodes(8)->set_from("S7"); }},
      {"plan > step 1 > epochs",
       [](RunRecord* r) { r->mutable_plan()->mutable_steps(0)->set_epochs(99); }},
      {"plan > path 2", [](RunRecord* r) { r->mutable_plan()->set_path(1, "S11"); }},
      {"recipe 'planned' > loss 4", [](RunRecord* r) { r->mutable_recipes(0)->set_losses(3, 9); }},
      {"recipe 'planned' > frames", [](RunRecord* r) { r->mutable_recipes(0)->set_frames(7); }},
      {"recipe 'hand_tuned' > test > top1",
       [](RunRecord* r) { r->mutable_recipes(1)->mutable_test()->set_top1(0.5); }},
      {"recipe 'hand_tuned' > test > head top1 2",
       [](RunRecord* r) { r->mutable_recipes(1)->mutable_test()->set_head_top1(1, 0.5); }},
      {"recipe 'hand_tuned' > test > class 'up>down' > correct",
       [](RunRecord* r) {
         r->mutable_recipes(1)->mutable_test()->mutable_classes(7)->set_correct(3);
       }},
      {"recipe 'hand_tuned' > test > group 'long' > videos",
       [](RunRecord* r) {
         r->mutable_recipes(1)->mutable_test()->mutable_groups(2)->set_videos(61);
       }},
  };
  for (const PlantedCase& planted : cases) {
    SCOPED_TRACE(planted.place);
    EXPECT_THAT(Places(Planted(planted.change)), ElementsAre(planted.place));
  }
}

TEST(RecordComparisonTest, ValuesAndDistanceAreTold) {
  const std::vector<Difference> differences =
      Planted([](RunRecord* r) { r->mutable_recipes(1)->mutable_test()->set_top1(0.5); });
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_THAT(differences[0].a, HasSubstr("0.86296"));
  EXPECT_EQ(differences[0].b, "0.5");
  EXPECT_EQ(differences[0].note, "differs by 0.363, allowed 0.01");
}

TEST(RecordComparisonTest, MissingEntriesAreNamedOnEitherSide) {
  const auto shorter = [](RunRecord* r) { r->mutable_recipes()->RemoveLast(); };
  std::vector<Difference> differences = Planted(shorter);
  ASSERT_THAT(Places(differences), ElementsAre("recipe 'hand_tuned_64'"));
  EXPECT_EQ(differences[0].note, "only in A");
  RunRecord changed = MakeFixtureRecord();
  changed.mutable_searches(0)->mutable_edges()->DeleteSubrange(13, 1);
  differences = CompareRecords(changed, MakeFixtureRecord(), {});
  ASSERT_THAT(Places(differences), ElementsAre("search 'cs' > edge S8->S9"));
  EXPECT_EQ(differences[0].note, "only in B");
  differences = Planted([](RunRecord* r) { r->mutable_recipes(0)->clear_test(); });
  EXPECT_THAT(Places(differences), ElementsAre("recipe 'planned' > test"));
}

TEST(RecordComparisonTest, TolerancesHoldAndEndWhereTheyAreSet) {
  const auto top1 = [](double by) {
    return [by](RunRecord* r) {
      TestResult* test = r->mutable_recipes(0)->mutable_test();
      test->set_top1(test->top1() + by);
    };
  };
  EXPECT_THAT(Planted(top1(0.01)), IsEmpty());
  EXPECT_EQ(Planted(top1(0.011)).size(), 1u);
  ComparisonOptions wide;
  wide.share_tolerance = 0.05;
  EXPECT_THAT(Planted(top1(0.05), wide), IsEmpty());
  EXPECT_EQ(Planted(top1(1e-15), Exact()).size(), 1u);

  const auto loss = [](RunRecord* r) {
    r->mutable_recipes(0)->set_losses(0, r->recipes(0).losses(0) * 1.019);
  };
  EXPECT_THAT(Planted(loss), IsEmpty());
  EXPECT_EQ(Planted(loss, Exact()).size(), 1u);

  const auto correct = [](RunRecord* r) {
    TestResult::ClassResult* row = r->mutable_recipes(0)->mutable_test()->mutable_classes(0);
    row->set_correct(row->correct() - 1);
  };
  EXPECT_THAT(Planted(correct), IsEmpty());
  ComparisonOptions strict;
  strict.video_tolerance = 0;
  EXPECT_EQ(Planted(correct, strict).size(), 1u);
}

TEST(RecordComparisonTest, EpochToleranceAllowsLongerCurves) {
  const auto longer = [](RunRecord* r) {
    CurvePoint point = *Edge(r)->curve().rbegin();
    point.set_epoch(point.epoch() + 1);
    *Edge(r)->add_curve() = point;
    Edge(r)->mutable_knee()->set_knee(Edge(r)->knee().knee() + 1);
    r->mutable_recipes(0)->add_losses(0.1);
    r->mutable_recipes(0)->set_epochs(r->recipes(0).epochs() + 1);
    r->mutable_recipes(0)->set_frames(r->recipes(0).frames() + 1);
  };
  EXPECT_EQ(Planted(longer).size(), 5u);
  ComparisonOptions options;
  options.epoch_tolerance = 1;
  EXPECT_THAT(Planted(longer, options), IsEmpty());
}

TEST(RecordComparisonTest, ExactSeesChecksumsFitsAndOrder) {
  const std::vector<PlantedCase> cases = {
      {"recipe 'planned' > weights crc32",
       [](RunRecord* r) { r->mutable_recipes(0)->set_weights_crc32(1); }},
      {"recipe 'planned' > test > scores crc32",
       [](RunRecord* r) { r->mutable_recipes(0)->mutable_test()->set_scores_crc32(1); }},
      {"search 'us' > edge S10->S11 > knee > residual",
       [](RunRecord* r) { Edge(r)->mutable_knee()->set_residual(1); }},
  };
  for (const PlantedCase& planted : cases) {
    SCOPED_TRACE(planted.place);
    EXPECT_THAT(Planted(planted.change), IsEmpty());
    EXPECT_THAT(Places(Planted(planted.change, Exact())), ElementsAre(planted.place));
  }
  const auto swap = [](RunRecord* r) { r->mutable_recipes()->SwapElements(0, 1); };
  EXPECT_THAT(Planted(swap), IsEmpty());
  const std::vector<Difference> moved = Planted(swap, Exact());
  ASSERT_EQ(moved.size(), 2u);
  EXPECT_EQ(moved[0].note, "order of the list");
}

// A later commit may say the same in other words.
TEST(RecordComparisonTest, WordsOfTheProgramAreNoDifference) {
  const auto reword = [](RunRecord* r) {
    r->set_notes(0, "other");
    r->add_notes("one more");
    r->mutable_recipes(0)->add_warnings("warning: other words");
    Edge(r)->set_failure("other");
  };
  EXPECT_THAT(Planted(reword), IsEmpty());
  EXPECT_THAT(Planted(reword, Exact()), IsEmpty());
}

TEST(RecordComparisonTest, CountsSingleValues) {
  RunRecord record;
  EXPECT_EQ(CountFields(record), 0);
  record.mutable_plan()->add_path("S0");
  record.mutable_plan()->add_path("S1");
  record.mutable_recipes()->Add()->set_epochs(3);
  record.mutable_time()->set_wall(3);  // volatile
  EXPECT_EQ(CountFields(record), 3);
}

}  // namespace
}  // namespace op3d::results
