#include "results/export/hub_export.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/testing/status_matchers.h"
#include "results/testing/fixture_record.h"

namespace op3d::results {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What PyYAML, the parser of the hub's own library, reads.
json ParseYaml(const std::string& yaml) {
  static int files = 0;
  const std::string folder = TestFolder(absl::StrCat("yaml", ++files));
  EXPECT_THAT(WriteFileAtomically(folder + "/a.yaml", yaml), IsOk());
  SubprocessOptions options;
  options.command = {"/usr/bin/python3", "-c",
                     "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))",
                     folder + "/a.yaml"};
  options.log = folder + "/log";
  const std::unique_ptr<Subprocess> child = *Subprocess::Start(options);
  const int code = child->Wait();
  const std::string output = *ReadFile(options.log);
  EXPECT_EQ(code, 0) << output << yaml;
  return code == 0 ? json::parse(output) : json();
}

std::string Weights(float value) {
  const TensorView tensor = {"w", DType::kF32, {1}, {reinterpret_cast<const char*>(&value), 4}};
  return *SerializeSafetensors({tensor}, {{"commit", "abc"}});
}

// Own data, whose planned model has the weights 1.
NamedRecord OwnRun() {
  NamedRecord run = {"run-1", MakeRolesFixtureRecord()};
  run.record.mutable_settings()->set_scale(BenchmarkSettings::OWN);
  run.record.mutable_settings()->set_benchmark("my: \"data\"");
  run.record.mutable_recipes(0)->set_weights_sha256(Sha256(WithoutMetadata(Weights(1))));
  return run;
}

HubOptions Options() {
  HubOptions options;
  options.dataset = "me/data";
  options.task = "default";
  return options;
}

TEST(YamlTest, TextStaysText) {
  for (const char* text : {"no", "1.0", "a: b # c", "it's \"so\"\n", "\xC3\xA9\x01", "- x", ""}) {
    EXPECT_EQ(ParseYaml(absl::StrCat("a: ", YamlText(text), "\n"))["a"], text);
  }
  EXPECT_EQ(YamlNumber(64.0449444), "64.044944");
  EXPECT_EQ(YamlNumber(100), "100.0");
}

TEST(HubExportTest, TheRowIsFoundByItsWeights) {
  const NamedRecord run = OwnRun();
  ASSERT_OK_AND_ASSIGN(const RecipeResult* row, FindRowOfWeights(run.record, Weights(1), "w"));
  EXPECT_EQ(row->name(), "planned_model");
  EXPECT_THAT(FindRowOfWeights(run.record, Weights(2), "w").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("which is the model of no tested row of the record")));
  EXPECT_THAT(FindRowOfWeights(run.record, "no weights", "w").status(), Not(IsOk()));
  EXPECT_THAT(FindRowOfWeights(RunRecord(), Weights(1), "w").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("states no SHA-256")));
}

TEST(HubExportTest, TheCardHasFrontMatterAndThePlanWithItsCost) {
  const NamedRecord run = OwnRun();
  HubOptions options = Options();
  options.license = "apache-2.0";
  ASSERT_OK_AND_ASSIGN(const std::string card,
                       RenderModelCard(run, run.record.recipes(0), options));
  ASSERT_EQ(card.substr(0, 4), "---\n");
  const json front = ParseYaml(card.substr(4, card.find("\n---\n") - 3));
  EXPECT_EQ(front["license"], "apache-2.0");
  EXPECT_EQ(front["pipeline_tag"], "video-classification");
  EXPECT_THAT(front["datasets"], ElementsAre("me/data"));
  const json& result = front["model-index"][0]["results"][0];
  EXPECT_EQ(result["task"]["type"], "video-classification");
  EXPECT_EQ(result["dataset"]["name"], "my: \"data\"");
  EXPECT_EQ(result["dataset"]["type"], "me/data");
  EXPECT_NEAR(result["metrics"][0]["value"].get<double>(), 100.0 * 259 / 270, 1e-5);
  for (const char* part :
       {"# dg\\_p3d\\_miniature on my: \"data\"", "## The plan and its cost",
        "| state | clip | learning rate | batch | epochs |", "times as many",
        "(this model) | 95.9 |", "On my: \"data\" the planned model reached 95.9 %",
        "model.safetensors", "TorchScript", "The 9 classes: bars, checks"}) {
    EXPECT_THAT(card, HasSubstr(part));
  }
  EXPECT_THAT(card, Not(HasSubstr("your own data")));
  EXPECT_THAT(card, Not(HasSubstr("A miniature:")));
}

TEST(HubExportTest, AMiniatureSaysSoAndHasNoPlaceOnALeaderboard) {
  NamedRecord run = OwnRun();
  run.record.mutable_settings()->set_scale(BenchmarkSettings::MINIATURE);
  run.record.mutable_settings()->set_benchmark("hmdb51");
  HubOptions options;
  ASSERT_OK_AND_ASSIGN(const std::string card,
                       RenderModelCard(run, run.record.recipes(0), options));
  EXPECT_THAT(card, HasSubstr("**A miniature: synthetic video"));
  const json front = ParseYaml(card.substr(4, card.find("\n---\n") - 3));
  EXPECT_EQ(front["model-index"][0]["results"][0]["dataset"]["type"], "hmdb51_miniature");
  EXPECT_FALSE(front.contains("license"));
  EXPECT_THAT(RenderEvalResults(run, run.record.recipes(0), Options()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("run-1 is a miniature: its figures are of synthetic video")));
}

TEST(HubExportTest, EvaluationResultsAreReadBack) {
  NamedRecord run = OwnRun();
  HubOptions options = Options();
  options.source_url = "https://example.org/?a=b#c";
  ASSERT_OK_AND_ASSIGN(const std::string yaml,
                       RenderEvalResults(run, run.record.recipes(0), options));
  const json results = ParseYaml(yaml);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0]["dataset"], json({{"id", "me/data"}, {"task_id", "default"}}));
  EXPECT_NEAR(results[0]["value"].get<double>(), 95.925926, 1e-6);
  EXPECT_EQ(results[0]["date"], "2024-05-01T12:06:31Z");
  EXPECT_EQ(results[0]["source"]["url"], "https://example.org/?a=b#c");
  EXPECT_THAT(results[0]["notes"].get<std::string>(),
              HasSubstr("top-1 in percent; 270 videos of my: \"data\", 10 clips x 3 crops"));
}

TEST(HubExportTest, WhatDoesNotBelongOnALeaderboardIsRefused) {
  NamedRecord run = OwnRun();
  const auto refused = [&](HubOptions options, const std::string& sentence) {
    EXPECT_THAT(RenderEvalResults(run, run.record.recipes(0), options).status().message(),
                HasSubstr(sentence));
  };
  HubOptions options = Options();
  options.task = "";
  refused(options, "give --hub_dataset=OWNER/NAME and --hub_task=ID");
  options = Options();
  options.dataset = "data";
  refused(options, "--hub_dataset=data is no id of a dataset on the hub; it is OWNER/NAME");
  run.check.not_official = "its test list is another one";
  refused(Options(), "run-1 cannot be on the leaderboard of its dataset: its test list is another");
  run.check.faults = {"top-1 is odd"};
  refused(Options(), "run-1 was edited by hand or damaged");
  EXPECT_THAT(RenderModelCard(run, run.record.recipes(0), Options()).status(),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("edited by hand or damaged")));
}

}  // namespace
}  // namespace op3d::results
