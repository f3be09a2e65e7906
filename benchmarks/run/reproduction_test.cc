#include "benchmarks/run/reproduction.h"

#include <gmock/gmock.h>

#include "results/testing/fixture_record.h"

namespace op3d::benchmarks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

results::RunComparison Differing() {
  results::RunComparison comparison;
  comparison.exact = true;
  comparison.differences = {
      {"search 'cs' > edge S0->S1 > curve at epoch 1 > loss", "2.1", "2.2", ""},
      {"plan > value", "0.9", "0.8", ""}};
  return comparison;
}

TEST(ReproductionTest, EqualIsOneLine) {
  results::RunComparison comparison;
  comparison.exact = true;
  comparison.fields = 4812;
  const RunRecord record = results::MakeFixtureRecord();
  EXPECT_THAT(DescribeReproduction(record, record, comparison),
              StartsWith("Equal in every bit: 4,812 fields"));
}

TEST(ReproductionTest, TheFirstDifferenceComesFirst) {
  const RunRecord record = results::MakeFixtureRecord();
  const std::string text = DescribeReproduction(record, record, Differing());
  EXPECT_THAT(text, HasSubstr("What differs first:\n  search 'cs' > edge S0->S1 > curve at epoch 1 "
                              "> loss: 2.1 against 2.2\nand in 1 more places:\n  plan > value"));
  EXPECT_THAT(text, HasSubstr("a bug in op3d"));
}

TEST(ReproductionTest, EachCauseIsNamed) {
  const RunRecord recorded = results::MakeFixtureRecord();
  EXPECT_THAT(PossibleCauses(recorded, recorded), IsEmpty());
  RunRecord again = recorded;
  again.mutable_dataset()->mutable_lists(0)->set_crc32(1);
  again.mutable_environment()->set_arithmetic("native (AVX512)");
  again.mutable_environment()->mutable_processor()->set_model(106);
  again.mutable_environment()->set_libraries(0, "libtorch 3.0.0");
  again.mutable_environment()->set_commit("abc");
  EXPECT_THAT(
      PossibleCauses(recorded, again),
      ElementsAre(
          HasSubstr("list 'train' has 270 videos with the checksum 00000001, recorded are 270 with "
                    "1f00aa01"),
          "other arithmetic: native (AVX512), recorded is portable (AVX2)",
          HasSubstr("another processor: Example CPU @ 2.0 GHz (ExampleVendor, family 6, model 106"),
          "other libraries: libtorch 3.0.0, libavcodec 59.37.100, recorded are libtorch 2.11.0, "
          "libavcodec 59.37.100",
          HasSubstr("another commit of op3d: abc, recorded is 0123")));
  EXPECT_THAT(DescribeReproduction(recorded, again, Differing()),
              HasSubstr("Why that may be:\n  other data: "));
}

TEST(ReproductionTest, FilesOfTheSameNamesMayDiffer) {
  RunRecord recorded = results::MakeFixtureRecord();
  recorded.mutable_dataset()->mutable_lists(1)->set_files_crc32(5);
  RunRecord again = recorded;
  again.mutable_dataset()->mutable_lists(1)->set_files_crc32(6);
  EXPECT_THAT(PossibleCauses(recorded, again),
              ElementsAre(HasSubstr("the sizes of their files differ")));
  // An older record does not have it.
  recorded.mutable_dataset()->mutable_lists(1)->clear_files_crc32();
  EXPECT_THAT(PossibleCauses(recorded, again), IsEmpty());
}

TEST(ReproductionTest, CopiesOfADatasetMayDiffer) {
  RunRecord recorded = results::MakeFixtureRecord(), again = recorded;
  again.mutable_dataset()->set_copy(R"({"form":"packed","short_side":64})");
  // Nobody knows what the recorded one was.
  EXPECT_THAT(PossibleCauses(recorded, again), IsEmpty());
  recorded.mutable_dataset()->set_copy(R"({"form":"packed","short_side":56})");
  EXPECT_THAT(PossibleCauses(recorded, again),
              ElementsAre(HasSubstr("recorded from the copy {\"form\":\"packed\"")));
}

TEST(ReproductionTest, AnOldRecordDoesNotStateItsArithmetic) {
  RunRecord recorded = results::MakeFixtureRecord();
  recorded.mutable_environment()->clear_arithmetic();
  recorded.mutable_environment()->clear_processor();
  EXPECT_THAT(PossibleCauses(recorded, results::MakeFixtureRecord()),
              ElementsAre(HasSubstr("the record does not state its own, so it was native, on "
                                    "Example CPU @ 2.0 GHz; this run is portable (AVX2)")));
}

}  // namespace
}  // namespace op3d::benchmarks
