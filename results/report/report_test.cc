#include "results/report/report.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/picture/svg.h"
#include "results/record/compact_record.h"
#include "results/record/format.h"
#include "results/report/report_sections.h"
#include "results/testing/fixture_record.h"
#include "results/testing/markup_checker.h"

namespace op3d::results {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ReportTest, IsWellFormedAndFetchesNothing) {
  const std::string page = RenderReport(MakeFixtureRecord());
  EXPECT_EQ(MarkupProblem(page), "");
  for (const char* fetch : {"http", "src=", "href=", "url(", "@import", "<script", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(fetch)));
  }
}

// Every colour of the pictures is an accent, or the page has a dark one for it.
TEST(ReportTest, PicturesCanBeReadOnDarkPages) {
  Mistakes mistakes;
  mistakes.classes = {"a", "b"};
  mistakes.confusion = {3, 1, 0, 2};
  ReportExtras extras;
  extras.mistakes = mistakes;
  const std::string page = RenderReport(MakeFixtureRecord(), extras);
  EXPECT_THAT(page, HasSubstr("Confusion matrix"));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  const std::string body = page.substr(page.find("<body>"));
  int colours = 0;
  for (const char* attribute : {" fill=\"", " stroke=\""}) {
    for (size_t at = body.find(attribute); at != std::string::npos;
         at = body.find(attribute, at + 1)) {
      const size_t begin = body.find('"', at) + 1;
      const std::string colour = body.substr(begin, body.find('"', begin) - begin);
      EXPECT_TRUE(IsForDarkPages(colour)) << colour;
      ++colours;
    }
  }
  EXPECT_GT(colours, 100);
  extras.check.faults = {"top-1 is odd"};
  EXPECT_THAT(RenderReport(MakeFixtureRecord(), extras), Not(HasSubstr("Confusion matrix")));
}

TEST(ReportTest, HasEverySection) {
  const std::string page = RenderReport(MakeFixtureRecord());
  for (const char* part :
       {"On the miniature of Kinetics-400 the planned recipe reached", "TEST FIXTURE",
        "Planned against hand-tuned", "The plan", "Per class", "Search of pool cs",
        "Search of pool us", "Dataset", "up_000004: no such file", "Where the time went",
        "<b>47.1 %</b>", "Environment", "libtorch 2.11.0", "benchmark: &quot;kinetics400&quot;"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST(ReportTest, RowsWithRolesStandBesideTheirRivals) {
  RunRecord record = MakeRolesFixtureRecord();
  record.mutable_recipes(5)->mutable_candidates(2)->clear_held_out();
  record.mutable_recipes(5)->mutable_candidates(2)->set_failure("the loss is <not> finite");
  const std::string page = RenderReport(record);
  EXPECT_EQ(MarkupProblem(page), "");
  for (const char* part :
       {"the planned model reached 95.9 % top-1", "Planned against its rivals",
        "<th class=\"figure\">frames, search included</th>", "92.9 to 97.7",
        "best of the fixed schedules: chosen among 9", "failed: the loss is &lt;not&gt; finite",
        "planned: the search&#39;s model: chosen among 3; the model: average of the best two final "
        "states, 0.9610 on held-out videos",
        "Each of the 9 fixed schedules, tested"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  // Bars of classes are for the compared rows, not for the single fixed schedules.
  EXPECT_THAT(page, Not(HasSubstr("<th>fixed: cs 16, rate / 1</th>")));
  EXPECT_EQ(MarkupProblem(RenderReport(CompactRecord(record))), "");
}

TEST(ReportTest, WhatWasChosenFromTheDataIsShown) {
  RunRecord record = MakeFixtureRecord();
  record.mutable_settings()->set_benchmark("ucf101");
  record.mutable_settings()->set_scale(BenchmarkSettings::OWN);
  EXPECT_THAT(RenderReport(record), Not(HasSubstr("chosen from the data")));
  BenchmarkSettings::Derived& line = *record.mutable_settings()->add_derived();
  line.set_field("transform.train_crop");
  line.set_value("56");
  line.set_reason("pictures are <128x96>");
  const std::string page = RenderReport(record);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr("<h1>ucf101: optimization planning</h1>"));
  EXPECT_THAT(page, HasSubstr("own data, network"));
  EXPECT_THAT(page, HasSubstr("<td>pictures are &lt;128x96&gt;</td>"));
}

TEST(ReportTest, SaysOfWhichCopyTheVideosWere) {
  RunRecord record = MakeFixtureRecord();
  EXPECT_THAT(RenderReport(record), Not(HasSubstr("a copy of the dataset")));
  record.mutable_dataset()->set_copy(R"({"form":"packed","short_side":64})");
  const std::string page = RenderReport(record);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr("made as <code>{&quot;form&quot;:&quot;packed&quot;,"));
}

TEST(ReportTest, OddNamesAreShownAsText) {
  RunRecord record = MakeFixtureRecord();
  const std::string odd = "<script>alert(\"x\")</script> & 'y' \xFF";
  record.mutable_recipes(0)->set_title(odd);
  record.add_notes(odd);
  record.mutable_environment()->set_host(odd);
  record.mutable_searches(0)->mutable_graph()->set_pool(odd);
  record.mutable_dataset()->mutable_lists(0)->set_name(odd);
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->mutable_classes(3)->set_name(odd);
    recipe.mutable_test()->mutable_groups(0)->set_name(odd);
  }
  const std::string page = RenderReport(record);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("<td>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; "
                              "&#39;y&#39; \xEF\xBF\xBD</td>"));
}

TEST(ReportTest, ManyClassesAreFoldedBehindTheLargestChanges) {
  RunRecord record = MakeFullFixtureRecord("kinetics400", 0.8);
  for (RecipeResult& recipe : *record.mutable_recipes()) {
    recipe.mutable_test()->clear_classes();
    for (int i = 0; i < 60; ++i) {
      TestResult::ClassResult* row = recipe.mutable_test()->add_classes();
      row->set_name(absl::StrCat("class ", i));
      row->set_videos(60);
      row->set_correct(recipe.name() == "planned" ? i : 30);
    }
  }
  const std::string page = RenderReport(record);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr("All 60 classes"));
  const size_t fold = page.find("All 60 classes");
  EXPECT_LT(page.find("<td>class 59</td>"), fold);  // gains most
  EXPECT_LT(page.find("<td>class 0</td>"), fold);   // loses most
  EXPECT_GT(page.find("<td>class 30</td>"), fold);  // neither
}

TEST(ReportTest, UnfinishedRecordsRender) {
  RunRecord record;
  EXPECT_EQ(MarkupProblem(RenderReport(record)), "");
  record = MakeFixtureRecord();
  record.mutable_recipes(1)->clear_test();
  record.clear_time();
  record.clear_environment();
  const std::string page = RenderReport(record);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr("not tested yet"));
  record.clear_recipes();
  record.clear_plan();
  EXPECT_EQ(MarkupProblem(RenderReport(record)), "");
}

TEST(ReportTest, SearchesAreExplained) {
  const RunRecord record = MakeFixtureRecord();
  const std::vector<SearchOutcome> searches(record.searches().begin(), record.searches().end());
  const std::string page = RenderSearches(searches, 28);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr(absl::StrCat("Plan: ", FormatPlan(record.plan()))));
  for (const char* part :
       {"All 28 edges are trained", "The plan", "Search of pool cs", "Search of pool us",
        "Who won each state", "its 95 % interval", "epochs past the knee of the fitted curve"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  // A search that has just begun.
  SearchOutcome begun = searches[0];
  begun.mutable_edges()->DeleteSubrange(1, begun.edges_size() - 1);
  begun.mutable_nodes()->DeleteSubrange(1, begun.nodes_size() - 1);
  begun.clear_plan();
  const std::string little = RenderSearches({begun}, 14);
  EXPECT_EQ(MarkupProblem(little), "");
  EXPECT_THAT(little, HasSubstr("1 of 14 edges are trained so far"));
  EXPECT_THAT(little, HasSubstr("No plan yet"));
  EXPECT_THAT(little, HasSubstr("the only way"));
  // One that failed.
  begun.mutable_edges(0)->set_ending(EdgeOutcome::FAILED);
  begun.mutable_edges(0)->set_failure("epoch 3: the loss is <nan>");
  begun.add_unreached("S1 is reached by no edge");
  const std::string failed = RenderSearches({begun}, 14);
  EXPECT_EQ(MarkupProblem(failed), "");
  EXPECT_THAT(failed, HasSubstr("1 edge failed in training."));
  EXPECT_THAT(failed, HasSubstr("failed: epoch 3: the loss is &lt;nan&gt;"));
  EXPECT_THAT(failed, HasSubstr("<li>S1 is reached by no edge</li>"));
  EXPECT_THAT(failed, testing::Not(HasSubstr("the only way")));
  begun.clear_edges();
  begun.clear_nodes();
  EXPECT_EQ(MarkupProblem(RenderSearches({begun}, 14)), "");
}

// Computed by hand: B is won by the edge from S0, 0.02 ahead of A.
TEST(ReportTest, EveryStoppingRuleHasItsOwnWords) {
  StoppingRule rule;
  rule.set_attempt_epochs(5);
  std::set<std::string> words;
  const google::protobuf::EnumDescriptor& methods = *StoppingRule::Method_descriptor();
  for (int i = 0; i < methods.value_count(); ++i) {
    rule.set_method(static_cast<StoppingRule::Method>(methods.value(i)->number()));
    EXPECT_TRUE(words.insert(DescribeRule(rule)).second) << methods.value(i)->name();
  }
}

TEST(ReportTest, MarginsAreOfTheTwoBestWays) {
  SearchOutcome search;
  search.mutable_graph()->set_initial("S0");
  for (const char* name : {"A", "B", "C"}) search.mutable_graph()->add_states()->set_name(name);
  const auto way = [&search](const char* from, const char* to, double score) {
    EdgeOutcome* edge = search.add_edges();
    edge->set_from(from);
    edge->set_to(to);
    edge->set_score(score);
    edge->set_epochs(1);
  };
  way("S0", "A", 0.5);
  way("A", "B", 0.6);
  way("S0", "B", 0.62);
  way("A", "C", 0.7);
  way("B", "C", 0.7);
  const std::string page = RenderSearches({search}, 5);
  EXPECT_EQ(MarkupProblem(page), "");
  EXPECT_THAT(page, HasSubstr("<td>S0</td><td>A 0.6000</td><td class=\"figure\">0.0200</td>"));
  EXPECT_THAT(
      page, HasSubstr("<td>A</td><td>B 0.7000</td><td class=\"figure\">a tie: listed first</td>"));
}

TEST(ReportTest, WritesBothFiles) {
  const std::string folder = TestFolder("report");
  ASSERT_THAT(WriteReport(folder, MakeFixtureRecord()), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadFile(JoinPath(folder, "report.html")));
  EXPECT_EQ(page, RenderReport(MakeFixtureRecord()));
  ASSERT_OK_AND_ASSIGN(const std::string curves, ReadFile(JoinPath(folder, "curves.svg")));
  EXPECT_EQ(MarkupProblem(curves), "");
  EXPECT_THAT(WriteReport(folder + "/none", MakeFixtureRecord()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("curves.svg")));
}

}  // namespace
}  // namespace op3d::results
