#include "results/record/format.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace op3d::results {

std::string FormatPercent(double share, int decimals) {
  return absl::StrFormat("%.*f", decimals, 100 * share);
}

std::string FormatPoints(double difference, int decimals) {
  std::string text = absl::StrFormat("%+.*f", decimals, 100 * difference);
  // "-0.0" and "+0.0" both mean no difference.
  if (text.find_first_of("123456789") == std::string::npos) return text.substr(1);
  return text;
}

std::string FormatCount(int64_t count) {
  std::string digits = absl::StrCat(count);
  const int64_t first = count < 0 ? 1 : 0;
  for (int64_t i = static_cast<int64_t>(digits.size()) - 3; i > first; i -= 3) {
    digits.insert(static_cast<size_t>(i), ",");
  }
  return digits;
}

std::string FormatNumber(double value) { return absl::StrFormat("%.12g", value); }

std::string FormatClip(const StateSettings& state) {
  const std::string size = state.crop() > 0 ? absl::StrCat(" of ", state.crop(), " px") : "";
  if (state.segments() <= 1) return absl::StrCat(state.frames_per_segment(), " frames", size);
  return absl::StrCat(state.segments(), " x ", state.frames_per_segment(), " frames", size);
}

std::string FormatLearningRate(const StateSettings& state) {
  const std::string rate = FormatNumber(state.learning_rate());
  const auto falling = [&rate](double final_rate) {
    return absl::StrCat(rate, ", falling to ", FormatNumber(final_rate));
  };
  const ScheduleSettings& schedule = state.schedule();
  switch (schedule.kind_case()) {
    case ScheduleSettings::kCosine:
      return falling(schedule.cosine().final_learning_rate());
    case ScheduleSettings::kLinear:
      return falling(schedule.linear().final_learning_rate());
    case ScheduleSettings::kOneMinusSqrt:
      return falling(schedule.one_minus_sqrt().final_learning_rate());
    case ScheduleSettings::kStep:
      return absl::StrCat(rate, ", in steps");
    case ScheduleSettings::KIND_NOT_SET:
      break;
  }
  return rate;
}

std::string FormatPlan(const Plan& plan) {
  return absl::StrJoin(plan.steps(), ", ", [](std::string* out, const Plan::Step& step) {
    absl::StrAppend(out, ClipLength(step.state()));
    if (step.state().crop() > 0) absl::StrAppend(out, "(", step.state().crop(), "px)");
    absl::StrAppend(out, "@", FormatNumber(step.state().learning_rate()),
                    "x", step.epochs());
  });
}

int64_t ClipLength(const StateSettings& state) {
  return int64_t{state.segments()} * state.frames_per_segment();
}

std::string ScaleName(BenchmarkSettings::Scale scale) {
  return scale == BenchmarkSettings::FULL        ? "full"
         : scale == BenchmarkSettings::MINIATURE ? "miniature"
         : scale == BenchmarkSettings::OWN       ? "own"
                                                 : "unknown scale";
}

std::string ScaleText(BenchmarkSettings::Scale scale) {
  return scale == BenchmarkSettings::OWN ? "own data" : absl::StrCat(ScaleName(scale), " scale");
}

int OfficialSplit(const DatasetSettings& dataset) {
  const bool several = absl::StrContains(dataset.evaluation().list(), "{split}") ||
                       absl::StrContains(dataset.train().list(), "{split}");
  return several ? std::max(dataset.split(), 1) : 0;
}

std::string SplitText(int split) { return split == 0 ? "" : absl::StrCat(" split ", split); }

std::string BenchmarkTitle(const std::string& benchmark) {
  constexpr std::pair<const char*, const char*> kTitles[] = {
      {"kinetics400", "Kinetics-400"},
      {"kinetics600", "Kinetics-600"},
      {"something_something_v1", "Something-Something V1"},
      {"something_something_v2", "Something-Something V2"},
      {"ucf101", "UCF101"},
      {"hmdb51", "HMDB51"},
      {"activitynet", "ActivityNet"},
  };
  for (const auto& [name, title] : kTitles) {
    if (benchmark == name) return title;
  }
  return benchmark;
}

std::string BenchmarkTitle(const std::string& benchmark, BenchmarkSettings::Scale scale) {
  return scale == BenchmarkSettings::OWN ? benchmark : BenchmarkTitle(benchmark);
}

std::string FormatEpochs(int64_t epochs) {
  return absl::StrCat(epochs, epochs == 1 ? " epoch" : " epochs");
}

}  // namespace op3d::results
