#include "results/picture/curves_svg.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "results/testing/fixture_record.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;

TEST(CurvesSvgTest, OnePanelAnEdge) {
  const RunRecord record = MakeFixtureRecord();
  const std::string text = DrawSearches(record.searches()).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  for (const SearchOutcome& search : record.searches()) {
    for (const EdgeOutcome& edge : search.edges()) {
      EXPECT_THAT(text, HasSubstr(absl::StrCat(edge.from(), " \xE2\x86\x92 ", edge.to(), "<")));
      EXPECT_THAT(text, HasSubstr(DescribeEnding(edge)));
    }
    const std::string alone = DrawCurves(search).ToInline();
    EXPECT_EQ(MarkupProblem(alone), "");
  }
}

TEST(CurvesSvgTest, FittedValueIsTheFormula) {
  KneeEstimate fit;
  fit.set_a(0.5);
  fit.set_b(0.3);
  fit.set_c(0.01);
  fit.set_d(0.002);
  fit.set_e(0.9);
  EXPECT_DOUBLE_EQ(FittedValue(fit, 0), 0.4);
  EXPECT_DOUBLE_EQ(FittedValue(fit, 2), 0.9 - 0.5 * std::exp(-0.6) - 0.02 - 0.008);
}

TEST(CurvesSvgTest, EndingInWords) {
  EdgeOutcome edge;
  for (int epoch = 0; epoch <= 8; ++epoch) edge.add_curve()->set_epoch(epoch);
  EXPECT_EQ(DescribeEnding(edge), "8 epochs, no fit");
  edge.mutable_knee()->set_knee(4);
  edge.set_ending(EdgeOutcome::KNEE_PASSED);
  EXPECT_EQ(DescribeEnding(edge), "8 epochs, knee at 4 passed");
  edge.set_ending(EdgeOutcome::BOUND);
  EXPECT_EQ(DescribeEnding(edge), "bound at 8, knee at 4");
  edge.mutable_knee()->set_knee(999);
  EXPECT_EQ(DescribeEnding(edge), "bound at 8, still rising");
  edge.set_ending(EdgeOutcome::FAILED);
  EXPECT_EQ(DescribeEnding(edge), "training failed after 8 epochs");
  edge.set_ending(EdgeOutcome::UNREACHED);
  EXPECT_EQ(DescribeEnding(edge), "not trained: its source is not reached");
}

TEST(CurvesSvgTest, EveryEndingHasItsOwnWords) {
  EdgeOutcome edge;
  for (int epoch = 0; epoch <= 8; ++epoch) edge.add_curve()->set_epoch(epoch);
  std::set<std::string> words;
  const google::protobuf::EnumDescriptor& endings = *EdgeOutcome::Ending_descriptor();
  for (int i = 1; i < endings.value_count(); ++i) {  // without ENDING_UNSPECIFIED
    const auto ending = static_cast<EdgeOutcome::Ending>(endings.value(i)->number());
    edge.set_ending(ending);
    edge.mutable_knee()->set_knee(4);
    if (ending == EdgeOutcome::LENGTH_REACHED) edge.clear_knee();
    EXPECT_TRUE(words.insert(DescribeEnding(edge)).second) << endings.value(i)->name();
  }
}

TEST(CurvesSvgTest, OddSearchesGiveWellFormedPictures) {
  google::protobuf::RepeatedPtrField<SearchOutcome> searches;
  EXPECT_THAT(DrawSearches(searches).ToFile(), HasSubstr("No search took place."));
  SearchOutcome* search = searches.Add();
  EXPECT_EQ(MarkupProblem(DrawSearches(searches).ToFile()), "");
  // An edge without a curve, one with an exploding fit, a flat one.
  search->add_edges();
  for (const double performance : {0.0, 0.5, 1.0}) {
    EdgeOutcome* edge = search->add_edges();
    edge->set_from("<a>");
    for (int epoch = 0; epoch < 200; ++epoch) {
      edge->add_curve()->set_epoch(epoch);
      edge->mutable_curve(epoch)->set_performance(performance);
    }
    edge->mutable_knee()->set_value(std::numeric_limits<double>::quiet_NaN());
    edge->mutable_knee()->set_e(1e300);
  }
  const std::string text = DrawSearches(searches).ToFile();
  EXPECT_EQ(MarkupProblem(text), "");
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace op3d::results
