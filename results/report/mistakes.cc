#include "results/report/mistakes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/eval/scores/metrics.h"
#include "op3d/eval/scores/video_scores.h"
#include "results/picture/confusion_svg.h"
#include "results/picture/svg.h"
#include "results/record/format.h"
#include "results/record/headline.h"
#include "results/record/roles.h"
#include "results/report/html_table.h"

namespace op3d::results {
namespace {

constexpr int kShownPairs = 12, kAlike = 2;
constexpr size_t kTop = 3;

bool HasScores(const RecipeResult& recipe) { return !recipe.test().scores_file().empty(); }

absl::StatusOr<const RecipeResult*> ChooseRow(const RunRecord& record, const std::string& row) {
  std::vector<std::string> names;
  const RecipeResult* first = nullptr;
  for (const RecipeResult& recipe : record.recipes()) {
    if (!HasScores(recipe)) continue;
    if (recipe.name() == row) return &recipe;
    if (first == nullptr) first = &recipe;
    names.push_back(recipe.name());
  }
  if (!row.empty()) {
    return absl::NotFoundError(absl::StrCat("the run has no scores of a row '", row, "'; it has ",
                                            names.empty() ? "none" : absl::StrJoin(names, ", ")));
  }
  const RecipeResult* planned = PlannedRecipe(record);
  return planned != nullptr && HasScores(*planned) ? planned : first;
}

// The mean logits of one video as probabilities.
std::vector<double> Softmax(absl::Span<const double> logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> values;
  double sum = 0;
  for (const double logit : logits) {
    values.push_back(std::exp(logit - highest));
    sum += values.back();
  }
  for (double& value : values) value /= sum;
  return values;
}

WrongVideo Describe(const TestScores& test, absl::Span<const double> logits, size_t video,
                    int64_t predicted) {
  WrongVideo wrong;
  wrong.name = test.names.empty() ? absl::StrCat("video ", video + 1) : test.names[video];
  wrong.own = test.labels[video];
  wrong.predicted = predicted;
  const std::vector<double> probabilities = Softmax(logits);
  wrong.own_probability = probabilities[wrong.own];
  std::vector<int64_t> order(probabilities.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return probabilities[a] > probabilities[b]; });
  order.resize(std::min(order.size(), kTop));
  for (const int64_t one : order) wrong.top.emplace_back(one, probabilities[one]);
  return wrong;
}

// The worst first; but videos of one recording fail alike, so after kAlike of a pair of classes the
// other pairs come before the next kAlike.
void SortForReading(std::vector<WrongVideo>* wrong) {
  std::stable_sort(wrong->begin(), wrong->end(), [](const WrongVideo& a, const WrongVideo& b) {
    return a.own_probability < b.own_probability;
  });
  std::map<std::pair<int64_t, int64_t>, int> seen;
  std::vector<std::pair<int, WrongVideo>> turns;
  for (WrongVideo& video : *wrong) {
    const int turn = seen[{video.own, video.predicted}]++ / kAlike;
    turns.emplace_back(turn, std::move(video));
  }
  std::stable_sort(turns.begin(), turns.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < turns.size(); ++i) (*wrong)[i] = std::move(turns[i].second);
}

std::vector<std::string> ClassNames(const TestScores& test, const RunRecord& record) {
  if (!test.class_names.empty()) return test.class_names;
  std::vector<std::string> names(record.dataset().classes().begin(),
                                 record.dataset().classes().end());
  names.resize(test.classes);
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) names[i] = absl::StrCat("class ", i);
  }
  return names;
}

std::string Percent(double share) { return absl::StrCat(FormatPercent(share), "\xC2\xA0%"); }

std::string WrongVideoHtml(const Mistakes& mistakes, const WrongVideo& wrong) {
  std::vector<std::string> top;
  for (const auto& [index, probability] : wrong.top) {
    const bool own = index == wrong.own;
    top.push_back(absl::StrCat(own ? "<b>" : "", EscapeXml(mistakes.classes[index]), " ",
                               Percent(probability), own ? "</b>" : ""));
  }
  if (std::none_of(wrong.top.begin(), wrong.top.end(),
                   [&](const auto& entry) { return entry.first == wrong.own; })) {
    top.push_back(absl::StrCat("<b>", EscapeXml(mistakes.classes[wrong.own]), " ",
                               Percent(wrong.own_probability), "</b>"));
  }
  std::string picture;
  if (!wrong.strip.empty()) {
    picture = absl::StrCat("<div class=\"wide\"><img alt=\"frames of ", EscapeXml(wrong.name),
                           "\" src=\"data:image/jpeg;base64,", absl::Base64Escape(wrong.strip),
                           "\"></div>\n");
  }
  return absl::StrCat("<li>\n", picture, "<p><b>", EscapeXml(mistakes.classes[wrong.own]),
                      "</b>, taken for <b class=\"mistaken\">",
                      EscapeXml(mistakes.classes[wrong.predicted]), "</b> <span class=\"note\">",
                      EscapeXml(wrong.name), "</span></p>\n", "<p class=\"note\">",
                      absl::StrJoin(top, ", "), "</p>\n</li>\n");
}

}  // namespace

absl::StatusOr<std::optional<Mistakes>> ReadMistakes(const std::string& folder,
                                                     const RunRecord& record,
                                                     const std::string& row) {
  OP3D_ASSIGN_OR_RETURN(const RecipeResult* const recipe, ChooseRow(record, row));
  if (recipe == nullptr) return std::nullopt;
  const std::string path = JoinPath(folder, recipe->test().scores_file());
  if (!FileExists(path)) return std::nullopt;
  OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  // Rows of older runs have a file each, whose tensors do not name the row.
  const int rows = static_cast<int>(
      std::count_if(record.recipes().begin(), record.recipes().end(), [&](const auto& other) {
        return other.test().scores_file() == recipe->test().scores_file();
      }));
  OP3D_ASSIGN_OR_RETURN(const TestScores test,
                        ParseTestScores(std::move(bytes), path, rows == 1 ? "" : recipe->name()));
  OP3D_ASSIGN_OR_RETURN(const VideoScores scores, MeanOfLogits(test.views()));
  const absl::StatusOr<Metrics> metrics = ComputeMetrics(scores, test.labels);
  OP3D_RETURN_IF_ERROR(Annotate(metrics.status(), path));
  if (metrics->videos != recipe->test().videos()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has the scores of ", metrics->videos, " videos, but the record says ",
                     recipe->test().videos(), "; the file is that of another run"));
  }
  Mistakes mistakes;
  mistakes.row = RowTitle(*recipe);
  mistakes.classes = ClassNames(test, record);
  mistakes.confusion = metrics->confusion;
  mistakes.videos = metrics->videos;
  for (int64_t video = 0; video < metrics->videos; ++video) {
    if (metrics->ranks[video] == 0) continue;
    const absl::Span<const double> logits =
        absl::MakeConstSpan(scores.values).subspan(video * scores.classes, scores.classes);
    mistakes.wrong.push_back(Describe(test, logits, video, metrics->predicted[video]));
  }
  SortForReading(&mistakes.wrong);
  return mistakes;
}

std::vector<std::string> NamesOf(const Mistakes& mistakes, int most) {
  std::vector<std::string> names;
  for (const WrongVideo& wrong : mistakes.wrong) {
    if (static_cast<int>(names.size()) >= most) break;
    names.push_back(wrong.name);
  }
  return names;
}

std::string ConfusionSection(const Mistakes& mistakes) {
  struct Confused {
    int64_t videos;
    size_t own, predicted;
  };
  const size_t count = mistakes.classes.size();
  std::vector<int64_t> of_class(count, 0);
  std::vector<Confused> pairs;
  for (size_t own = 0; own < count; ++own) {
    for (size_t predicted = 0; predicted < count; ++predicted) {
      const int64_t videos = mistakes.confusion[own * count + predicted];
      of_class[own] += videos;
      if (videos > 0 && own != predicted) pairs.push_back({videos, own, predicted});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Confused& a, const Confused& b) { return a.videos > b.videos; });
  HtmlTable table({"own class", "predicted class", "videos", "of its class"});
  for (size_t i = 0; i < pairs.size() && i < kShownPairs; ++i) {
    const Confused& pair = pairs[i];
    table.AddRow({WordsCell(mistakes.classes[pair.own]),
                  WordsCell(mistakes.classes[pair.predicted]), FigureCell(FormatCount(pair.videos)),
                  FigureCell(Percent(static_cast<double>(pair.videos) /
                                     static_cast<double>(of_class[pair.own])))});
  }
  return absl::StrCat(
      "<section>\n<h2>Confusion matrix</h2>\n<p class=\"note\">Of ", EscapeXml(mistakes.row),
      ": numbers of videos, each row one class; a stronger colour is a larger share of the "
      "row.</p>\n",
      "<div class=\"wide\">", DrawConfusion(mistakes.confusion, mistakes.classes).ToInline(),
      "</div>\n", pairs.empty() ? "" : "<h3>Most confused</h3>\n", table.ToHtml(), "</section>\n");
}

std::string WrongVideosSection(const Mistakes& mistakes, int most) {
  if (mistakes.wrong.empty()) return "";
  const size_t shown = std::min(mistakes.wrong.size(), static_cast<size_t>(std::max(most, 0)));
  std::string items;
  bool pictures = false;
  for (size_t i = 0; i < shown; ++i) {
    items += WrongVideoHtml(mistakes, mistakes.wrong[i]);
    pictures = pictures || !mistakes.wrong[i].strip.empty();
  }
  return absl::StrCat(
      "<section>\n<h2>What it got wrong</h2>\n<p>", EscapeXml(mistakes.row), ": ",
      FormatCount(static_cast<int64_t>(mistakes.wrong.size())), " of ",
      FormatCount(mistakes.videos), " videos are wrong; ",
      shown < mistakes.wrong.size() ? absl::StrCat("the ", shown, " worst") : "all of them",
      ", the lowest probability of the own class first, ", kAlike,
      " of each pair of classes in turn.</p>\n<p class=\"note\">",
      pictures ? "Frames are evenly spaced over the video. "
               : "With --dataset_root=DIR, //results:report shows frames of each. ",
      "Percentages are probabilities: the softmax of the mean logits over all views; the own "
      "class is in bold.</p>\n<ul class=\"strips\">\n",
      items, "</ul>\n</section>\n");
}

}  // namespace op3d::results
