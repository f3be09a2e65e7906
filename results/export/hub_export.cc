#include "results/export/hub_export.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/progress.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"

namespace op3d::results {
namespace {

absl::Status RefuseIfEdited(const NamedRecord& run) {
  return RefuseEdited(absl::MakeConstSpan(&run, 1));
}

bool IsMiniature(const RunRecord& record) {
  return record.settings().scale() == BenchmarkSettings::MINIATURE;
}

// "the miniature of HMDB51, split 1"; "ucf101_5, split 1".
std::string DatasetTitle(const RunRecord& record) {
  const BenchmarkSettings& settings = record.settings();
  const int split = OfficialSplit(settings.dataset());
  return absl::StrCat(IsMiniature(record) ? "the miniature of " : "",
                      BenchmarkTitle(settings.benchmark(), settings.scale()),
                      split > 0 ? absl::StrCat(", split ", split) : "");
}

// Text in a cell of a Markdown table, or in a line.
std::string Cell(const std::string& text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"},
                                    {"\n", " "},
                                    {"<", "&lt;"},
                                    {"*", "\\*"},
                                    {"_", "\\_"},
                                    {"`", "\\`"},
                                    {"[", "\\["}});
}

std::string Row(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

const DatasetReport::List* FindList(const RunRecord& record, const std::string& name) {
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (list.name() == name) return &list;
  }
  return nullptr;
}

std::string Views(const TestResult& test) {
  return absl::StrCat(test.clips(), " clips x ", test.crops(), " crops");
}

std::string FrontMatter(const RunRecord& record, const RecipeResult& row,
                        const HubOptions& options) {
  const BenchmarkSettings& settings = record.settings();
  std::string yaml = "---\n";
  if (!options.license.empty()) {
    absl::StrAppend(&yaml, "license: ", YamlText(options.license), "\n");
  }
  absl::StrAppend(&yaml,
                  "library_name: op3d\npipeline_tag: video-classification\ntags:\n- op3d\n"
                  "- video-classification\n- action-recognition\n- 3d-convnet\n");
  if (!options.dataset.empty()) {
    absl::StrAppend(&yaml, "datasets:\n- ", YamlText(options.dataset), "\n");
  }
  const std::string type =
      !options.dataset.empty()
          ? options.dataset
          : absl::StrCat(settings.benchmark(), IsMiniature(record) ? "_miniature" : "");
  absl::StrAppend(&yaml, "metrics:\n- accuracy\nmodel-index:\n- name: ",
                  YamlText(absl::StrCat(settings.network().name(), ", ", DatasetTitle(record))),
                  "\n  results:\n  - task:\n      type: video-classification\n    dataset:\n"
                  "      name: ",
                  YamlText(DatasetTitle(record)), "\n      type: ", YamlText(type),
                  "\n    metrics:\n");
  const std::pair<const char*, double> metrics[] = {{"top-1 in percent", row.test().top1()},
                                                    {"top-5 in percent", row.test().top5()}};
  for (const auto& [name, share] : metrics) {
    absl::StrAppend(&yaml, "    - type: accuracy\n      name: ", YamlText(name),
                    "\n      value: ", YamlNumber(100 * share), "\n");
  }
  return absl::StrCat(yaml, "---\n");
}

std::string UseSection(const RunRecord& record, const HubOptions& options) {
  const std::string& file = options.weights_file;
  return absl::StrCat(
      "## Use\n\n`", file,
      "` describes its network, its classes and its test, so no flags are "
      "needed:\n\n```\n./bazelw run //op3d:predict -- ",
      file,
      " video.mp4\n"
      "./bazelw run //op3d:evaluate -- ",
      file,
      " --dataset_root=DIR\n"
      "./bazelw run //op3d:weights -- export ",
      file,
      " model.pt    # TorchScript\n```\n\n"
      "The TorchScript takes clips `[N, 3, T, H, W]`, RGB in [0, 1] normalised with mean 0.485, "
      "0.456, 0.406 and deviation 0.229, 0.224, 0.225, and returns logits of ",
      record.dataset().classes_size(), " classes. The test crops have ",
      record.settings().transform().test_crop(), " pixels, from frames with a short side of ",
      record.settings().transform().test_short_side(), ".\n\n");
}

// What the headline says, for readers to whom the data is not their own.
std::string HeadlineForOthers(const RunRecord& record) {
  const BenchmarkSettings& settings = record.settings();
  const std::string title = BenchmarkTitle(settings.benchmark(), settings.scale());
  return absl::StrReplaceAll(Headline(record), {{absl::StrCat("On your own data (", title, ")"),
                                                 absl::StrCat("On ", title)}});
}

std::string ResultsSection(const RunRecord& record, const RecipeResult& row) {
  std::string text = absl::StrCat(
      "## Results\n\nOn the ", FormatCount(row.test().videos()), " test videos of ",
      Cell(DatasetTitle(record)), ", ", Views(row.test()), ", in percent:\n\n",
      Row({"model", "top-1", "95 %", "top-5", "mean class", "frames trained, search included"}),
      "|---|---:|---:|---:|---:|---:|\n");
  for (const RecipeResult& recipe : record.recipes()) {
    if (!recipe.has_test() || recipe.role() == RecipeResult::FIXED) continue;
    const TestResult& test = recipe.test();
    const ShareInterval interval = WilsonInterval(test.top1(), test.videos());
    const std::string title = Cell(RowTitle(recipe));
    absl::StrAppend(
        &text, Row({&recipe == &row ? absl::StrCat("**", title, "** (this model)") : title,
                    FormatPercent(test.top1()),
                    absl::StrCat(FormatPercent(interval.low), " to ", FormatPercent(interval.high)),
                    FormatPercent(test.top5()), FormatPercent(test.mean_class_accuracy()),
                    FormatCount(TotalFrames(recipe))}));
  }
  return absl::StrCat(text, "\nThe interval is Wilson's over the test videos. ",
                      Cell(HeadlineForOthers(record)), " ", Cell(Caution(record)), "\n\n");
}

std::string PlanSectionText(const RunRecord& record, const RecipeResult& row) {
  const Plan& plan = row.plan().steps().empty() ? record.plan() : row.plan();
  std::string text = "## The plan and its cost\n\n";
  if (plan.steps().empty()) {
    text += "The record holds no plan of this row.\n\n";
  } else {
    absl::StrAppend(&text, Row({"state", "clip", "learning rate", "batch", "epochs"}),
                    "|---|---|---|---:|---:|\n");
    for (const Plan::Step& step : plan.steps()) {
      const StateSettings& state = step.state();
      absl::StrAppend(
          &text, Row({Cell(state.name()), Cell(FormatClip(state)), Cell(FormatLearningRate(state)),
                      absl::StrCat(static_cast<int64_t>(state.batch_size()) *
                                   std::max(1, static_cast<int>(state.accumulation()))),
                      absl::StrCat(step.epochs())}));
    }
    text += "\n";
  }
  absl::StrAppend(&text, "The model itself saw ", FormatCount(row.frames()), " frames in ",
                  FormatEpochs(row.epochs()), "; with the search and all candidates ",
                  FormatCount(TotalFrames(row)), " frames were trained");
  if (row.frames() > 0) {
    absl::StrAppend(&text, ", ",
                    FormatNumber(static_cast<double>(10 * TotalFrames(row) / row.frames()) / 10),
                    " times as many");
  }
  absl::StrAppend(&text, ".");
  if (record.time().wall() > 0) {
    absl::StrAppend(&text, " The whole run, with all other rows of the table, took ",
                    FormatSeconds(record.time().wall()), " on ", Cell(record.environment().cpu()),
                    " (", record.environment().cores(), " cores, device ",
                    Cell(record.environment().device()), ").");
  }
  if (!row.model().empty()) absl::StrAppend(&text, " The model is ", Cell(row.model()), ".");
  return absl::StrCat(text, "\n\n");
}

std::string DataSection(const RunRecord& record, const RecipeResult& row) {
  std::string text = "## Data\n\n";
  const DatasetReport::List* train = FindList(record, "train");
  const DatasetReport::List* test = FindList(record, "evaluation");
  const DatasetReport::List* search = FindList(record, "search: trained on");
  const bool by_search = row.role() == RecipeResult::PLANNED_MODEL ||
                         row.role() == RecipeResult::PUBLISHED_MODEL ||
                         record.settings().recipe_videos() == BenchmarkSettings::SEARCH_TRAIN;
  if (train != nullptr && test != nullptr) {
    const bool part = by_search && search != nullptr;
    absl::StrAppend(
        &text, "Trained on ", FormatCount(part ? search->used() : train->used()), " of the ",
        FormatCount(train->listed()), " listed training videos of ", Cell(DatasetTitle(record)),
        part ? " (the search held the others out, to measure on them)" : "", ", tested on ",
        FormatCount(test->used()), " of ", FormatCount(test->listed()), " listed test videos. ");
  }
  if (!record.settings().dataset().source().empty() && !IsMiniature(record)) {
    absl::StrAppend(&text, Cell(record.settings().dataset().source()), " ");
  }
  std::vector<std::string> classes;
  for (const std::string& name : record.dataset().classes()) classes.push_back(Cell(name));
  absl::StrAppend(&text, "The ", classes.size(), " classes: ", absl::StrJoin(classes, ", "),
                  ".\n\n");
  return text;
}

std::string ReproduceSection(const RunRecord& record, const RecipeResult& row) {
  const Environment& environment = record.environment();
  return absl::StrCat(
      "## Reproduce\n\n`./bazelw run //benchmarks:reproduce -- record.textproto` runs the record "
      "again and compares. Seed ",
      record.settings().seed(), ", commit ",
      environment.commit().empty() ? "unknown" : environment.commit(), ", arithmetic ",
      environment.arithmetic().empty() ? "unknown" : Cell(environment.arithmetic()), ", ",
      Cell(absl::StrJoin(environment.libraries(), ", ")),
      ".\nSHA-256 of the weights without metadata: `", row.weights_sha256(), "`.\n");
}

}  // namespace

absl::StatusOr<const RecipeResult*> FindRowOfWeights(const RunRecord& record, std::string weights,
                                                     const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Parse(std::move(weights), path));
  // As the run computes it: without the metadata, which names the commit.
  OP3D_ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(file.tensors(), {}));
  const std::string sum = Sha256(bytes);
  bool any = false;
  for (const RecipeResult& recipe : record.recipes()) {
    any = any || !recipe.weights_sha256().empty();
    if (recipe.weights_sha256() == sum && recipe.has_test()) return &recipe;
  }
  return absl::InvalidArgumentError(
      any ? absl::StrCat(path, " has SHA-256 ", sum,
                         ", which is the model of no tested row of the record: it is a file of "
                         "another run, or was changed")
          : absl::StrCat("the record states no SHA-256 of weights (it is older than that), so "
                         "nothing says which row ",
                         path, " is; run it again"));
}

absl::StatusOr<std::string> RenderModelCard(const NamedRecord& run, const RecipeResult& row,
                                            const HubOptions& options) {
  OP3D_RETURN_IF_ERROR(RefuseIfEdited(run));
  const RunRecord& record = run.record;
  std::string warnings;
  for (const std::string& warning : row.warnings()) {
    absl::StrAppend(&warnings, "> ", Cell(warning), "\n\n");
  }
  return absl::StrCat(
      FrontMatter(record, row, options), "\n# ", Cell(record.settings().network().name()), " on ",
      Cell(DatasetTitle(record)), "\n\nA 3D ConvNet that names what is done in a video, one of ",
      record.dataset().classes_size(),
      " classes. Trained with op3d: optimization planning "
      "searches for the clip lengths, learning rates and epochs of the training. This model is the "
      "row \"",
      Cell(RowTitle(row)), "\" of the run.\n\n",
      IsMiniature(record) ? "**A miniature: synthetic video and a small network. It shows that the "
                            "pipeline works and is of no use on real video.**\n\n"
                          : "",
      warnings, UseSection(record, options), ResultsSection(record, row),
      PlanSectionText(record, row), DataSection(record, row), ReproduceSection(record, row));
}

absl::StatusOr<std::string> RenderEvalResults(const NamedRecord& run, const RecipeResult& row,
                                              const HubOptions& options) {
  OP3D_RETURN_IF_ERROR(RefuseIfEdited(run));
  const RunRecord& record = run.record;
  if (IsMiniature(record)) {
    return absl::InvalidArgumentError(
        absl::StrCat(run.name,
                     " is a miniature: its figures are of synthetic video and do not belong on the "
                     "leaderboard of a dataset"));
  }
  if (!run.check.not_official.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        run.name, " cannot be on the leaderboard of its dataset: ", run.check.not_official));
  }
  if (options.dataset.empty() || options.task.empty()) {
    return absl::InvalidArgumentError(
        "evaluation results name the benchmark on the hub: give --hub_dataset=OWNER/NAME and "
        "--hub_task=ID, as in the eval.yaml of that dataset");
  }
  if (std::count(options.dataset.begin(), options.dataset.end(), '/') != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--hub_dataset=", options.dataset, " is no id of a dataset on the hub; it is OWNER/NAME"));
  }
  std::string yaml = absl::StrCat("- dataset:\n    id: ", YamlText(options.dataset),
                                  "\n    task_id: ", YamlText(options.task), "\n");
  if (!options.revision.empty()) {
    absl::StrAppend(&yaml, "    revision: ", YamlText(options.revision), "\n");
  }
  absl::StrAppend(&yaml, "  value: ", YamlNumber(100 * row.test().top1()), "\n");
  if (!record.environment().finished().empty()) {
    absl::StrAppend(&yaml, "  date: ", YamlText(record.environment().finished()), "\n");
  }
  if (!options.source_url.empty()) {
    absl::StrAppend(&yaml, "  source:\n    url: ", YamlText(options.source_url),
                    "\n    name: \"op3d record\"\n");
  }
  const std::string notes =
      absl::StrCat("top-1 in percent; ", row.test().videos(), " videos of ", DatasetTitle(record),
                   ", ", Views(row.test()), "; ", RowTitle(row), "; seed ",
                   record.settings().seed(), "; op3d ", record.environment().commit());
  return absl::StrCat(yaml, "  notes: ", YamlText(notes), "\n");
}

std::string YamlText(absl::string_view text) {
  using nlohmann::json;
  return json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string YamlNumber(double value) {
  std::string text = absl::StrFormat("%.6f", value);
  while (text.back() == '0') text.pop_back();
  return text.back() == '.' ? text + "0" : text;
}

}  // namespace op3d::results
