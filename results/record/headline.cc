#include "results/record/headline.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "results/record/format.h"
#include "results/record/roles.h"
#include "results/record/statistics.h"

namespace op3d::results {
namespace {

const RecipeSettings* FindSettings(const RunRecord& record, const std::string& name) {
  for (const RecipeSettings& settings : record.settings().recipes()) {
    if (settings.name() == name) return &settings;
  }
  return nullptr;
}

std::string Subject(const RunRecord& record) {
  const BenchmarkSettings::Scale scale = record.settings().scale();
  const std::string title = BenchmarkTitle(record.settings().benchmark(), scale);
  return scale == BenchmarkSettings::MINIATURE ? absl::StrCat("the miniature of ", title)
         : scale == BenchmarkSettings::OWN     ? absl::StrCat("your own data (", title, ")")
                                               : title;
}

std::string Comparison(const RecipeResult& planned, const RecipeResult& baseline) {
  const double difference = planned.test().top1() - baseline.test().top1();
  const std::string points = FormatPercent(std::fabs(difference));
  const std::string verdict = points == "0.0"  ? "as much as"
                              : difference > 0 ? absl::StrCat(points, " points more than")
                                               : absl::StrCat(points, " points less than");
  std::string compute;
  if (baseline.frames() > 0) {
    const double ratio =
        static_cast<double>(planned.frames()) / static_cast<double>(baseline.frames());
    compute = std::fabs(ratio - 1) < 0.05
                  ? " on equally many frames"
                  : absl::StrCat(" on ", FormatPercent(ratio, 0), " % of its frames");
  }
  return absl::StrCat(", ", verdict, " the hand-tuned one (", FormatPercent(baseline.test().top1()),
                      " %)", compute);
}

// "one long run", "the hand-tuned recipe "16-frame cosine"": the rival with an article.
std::string RivalName(const RecipeResult& rival) {
  switch (rival.role()) {
    case RecipeResult::BEST_FIXED:
      return rival.candidates().empty()
                 ? "the best fixed schedule"
                 : absl::StrCat("the best of ", rival.candidates_size(), " fixed schedules");
    case RecipeResult::LONG_RUN:
      return "one long run";
    case RecipeResult::MULTIGRID:
      return "multigrid training";
    default:
      return absl::StrCat("\"", RowTitle(rival), "\"");
  }
}

std::string PlannedName(RecipeResult::Role role) {
  switch (role) {
    case RecipeResult::PLANNED_MODEL:
      return "the planned model";
    case RecipeResult::PLANNED_AGAIN:
      return "the plan, trained again,";
    case RecipeResult::PUBLISHED_MODEL:
      return "the published method's model";
    case RecipeResult::PUBLISHED_AGAIN:
      return "the published method's plan";
    default:
      return "the planned recipe";
  }
}

// Compares the planned row with the strongest rival, and says whether it may be chance.
std::string RivalComparison(const RecipeResult& planned, const RecipeResult& rival) {
  const double difference = planned.test().top1() - rival.test().top1();
  // At least one video's worth: a test of few videos shows no spread.
  const double half = 1.96 * std::max(std::sqrt(VideoVariance({{&planned.test(), &rival.test()}})),
                                      1.0 / std::max(1, planned.test().videos()));
  const std::string points = FormatPercent(std::fabs(difference));
  const bool equal = points == "0.0";
  const std::string amount = equal            ? "as much as"
                             : difference > 0 ? absl::StrCat(points, " points more than")
                                              : absl::StrCat(points, " points less than");
  const double share = static_cast<double>(TotalFrames(rival)) /
                       std::max(1.0, static_cast<double>(TotalFrames(planned)));
  const std::string frames =
      std::fabs(share - 1) < 0.05
          ? " at equal total frames"
          : absl::StrCat(" on ", FormatPercent(share, 0), " % of the frames, search included");
  const bool beyond = std::fabs(difference) > half;
  const std::string verdict =
      equal    ? "level"
      : beyond ? absl::StrCat(difference > 0 ? "ahead" : "behind", " beyond the noise")
               : absl::StrCat(difference > 0 ? "ahead" : "behind", ", but within the noise");
  return absl::StrCat(", ", amount, " the strongest rival, ", RivalName(rival), " (",
                      FormatPercent(rival.test().top1()), " %)", frames, ": ", verdict,
                      " (95 %: ", FormatPoints(difference - half), " to ",
                      FormatPoints(difference + half), " points)");
}

// Other recipes that are better than the plan.
std::string WhoIsAhead(const RunRecord& record, const RecipeResult& planned,
                       const RecipeResult* baseline) {
  std::string text;
  for (const RecipeResult& recipe : record.recipes()) {
    if (&recipe == &planned || &recipe == baseline || !recipe.has_test()) continue;
    // Nobody could have known in advance which of the fixed schedules to use.
    if (recipe.role() == RecipeResult::FIXED) continue;
    if (recipe.test().top1() <= planned.test().top1()) continue;
    absl::StrAppend(&text, "Ahead of the plan: \"", RowTitle(recipe), "\" with ",
                    FormatPercent(recipe.test().top1()), " %. ");
  }
  return text;
}

}  // namespace

const RecipeResult* PlannedRecipe(const RunRecord& record) {
  if (HasRoles(record)) {
    for (const RecipeResult::Role role :
         {RecipeResult::PLANNED_MODEL, RecipeResult::PLANNED_AGAIN, RecipeResult::PUBLISHED_MODEL,
          RecipeResult::PUBLISHED_AGAIN}) {
      for (const RecipeResult& recipe : record.recipes()) {
        if (recipe.role() == role) return &recipe;
      }
    }
    return nullptr;
  }
  for (const RecipeResult& recipe : record.recipes()) {
    const RecipeSettings* settings = FindSettings(record, recipe.name());
    if (settings == nullptr ? recipe.name() == "planned" : settings->planned()) return &recipe;
  }
  return nullptr;
}

const RecipeResult* BaselineRecipe(const RunRecord& record) {
  if (HasRoles(record)) return StrongestRival(record);
  const RecipeResult* other = nullptr;
  const RecipeResult* planned = PlannedRecipe(record);
  for (const RecipeResult& recipe : record.recipes()) {
    if (&recipe == planned) continue;
    const RecipeSettings* settings = FindSettings(record, recipe.name());
    const bool equal_frames =
        settings != nullptr && settings->has_hand_tuned() && settings->hand_tuned().epochs() == 0;
    if (equal_frames) return &recipe;
    if (other == nullptr) other = &recipe;
  }
  return other;
}

std::string Headline(const RunRecord& record) {
  const RecipeResult* planned = PlannedRecipe(record);
  const std::string subject = Subject(record);
  if (planned == nullptr || !planned->has_test()) {
    return record.plan().steps().empty()
               ? absl::StrCat("On ", subject, " nothing has been planned or tested yet.")
               : absl::StrCat("On ", subject, " the plan is ", FormatPlan(record.plan()),
                              "; it has not been tested yet.");
  }
  const RecipeResult* baseline = BaselineRecipe(record);
  std::string text = absl::StrCat("On ", subject, " ", PlannedName(planned->role()), " reached ",
                                  FormatPercent(planned->test().top1()), " % top-1");
  if (baseline == nullptr || !baseline->has_test()) {
    if (HasRoles(record)) text += "; no rival has been tested";
  } else {
    text +=
        HasRoles(record) ? RivalComparison(*planned, *baseline) : Comparison(*planned, *baseline);
  }
  return absl::StrCat(text, ".");
}

std::string Caution(const RunRecord& record) {
  const RecipeResult* planned = PlannedRecipe(record);
  if (planned == nullptr || !planned->has_test()) return "";
  const TestResult& test = planned->test();
  std::string text = absl::StrCat(
      WhoIsAhead(record, *planned, BaselineRecipe(record)), "One seed, ",
      FormatCount(test.videos()), " test videos: by chance alone a figure varies by ",
      FormatPercent(StandardError(test.top1(), test.videos())), " points (one standard error).");
  if (record.settings().scale() == BenchmarkSettings::MINIATURE) {
    absl::StrAppend(&text,
                    " A miniature is synthetic video and a small network: its figures say nothing "
                    "about real video.");
  }
  return text;
}

double StandardError(double share, int videos) {
  return videos > 0 ? std::sqrt(share * (1 - share) / videos) : 0;
}

}  // namespace op3d::results
