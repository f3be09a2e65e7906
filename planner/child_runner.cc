#include "planner/child_runner.h"

#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"
#include "planner/transition_graph.h"

namespace op3d {
namespace {

using nlohmann::ordered_json;

constexpr int kProtocol = 1;

// {"one_minus_sqrt": {"final_learning_rate": 0.0}}
ordered_json ScheduleJson(const ScheduleSettings& schedule) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(schedule, &text, options);
  return status.ok() ? ordered_json::parse(text) : ordered_json::object();
}

std::string Request(const EdgeTask& task, absl::string_view request, int epoch) {
  const State& state = *task.state;
  ordered_json line;
  line["protocol"] = kProtocol;
  line["request"] = std::string(request);
  line["epoch"] = epoch;
  line["edge"] = EdgeName(*task.transition);
  line["state"] = {{"name", state.name()},
                   {"segments", state.segments()},
                   {"frames_per_segment", state.frames_per_segment()},
                   {"stride", state.stride()},
                   {"learning_rate", state.learning_rate()},
                   {"batch_size", state.batch_size()},
                   {"accumulation", state.accumulation()},
                   {"frozen_batch_norm", state.frozen_batch_norm()}};
  // Only where they say something, so that a child of an earlier version is not surprised.
  if (task.transition->epochs() > 0) line["epochs"] = task.transition->epochs();
  if (state.schedule().kind_case() != ScheduleSettings::KIND_NOT_SET) {
    line["state"]["schedule"] = ScheduleJson(state.schedule());
  }
  if (state.crop() > 0) line["state"]["crop"] = state.crop();
  line["source"] = task.source_folder;
  line["folder"] = task.folder;
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

absl::Status BadAnswer(absl::string_view line, absl::string_view why) {
  constexpr size_t kShown = 200;
  return absl::InvalidArgumentError(
      absl::StrCat("the child's answer ", line.substr(0, kShown), " ", why));
}

absl::StatusOr<double> Number(const ordered_json& answer, const char* name, bool needed,
                              absl::string_view line) {
  if (!answer.contains(name)) {
    return needed ? BadAnswer(line, absl::StrCat("has no \"", name, "\""))
                  : absl::StatusOr<double>(0.0);
  }
  if (answer[name].is_number() && std::isfinite(answer[name].get<double>())) {
    return answer[name].get<double>();
  }
  return BadAnswer(line, absl::StrCat("has a \"", name, "\" that is not a finite number"));
}

// JSON has no NaN and no infinity, but Python, C++ and others print them: here null stands for
// them.
std::string WithoutNonFinite(absl::string_view line) {
  std::string json;
  bool in_string = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool sign = line[i] == '-' || line[i] == '+';
    if (in_string || !(sign || absl::ascii_isalpha(line[i]))) {
      if (line[i] == '"') in_string = !in_string;
      json += line[i];
      if (in_string && line[i] == '\\' && i + 1 < line.size()) json += line[++i];
      continue;
    }
    size_t end = i + 1;
    while (end < line.size() && absl::ascii_isalpha(line[end])) ++end;
    const absl::string_view word = line.substr(i, end - i);
    const std::string name = absl::AsciiStrToLower(word.substr(sign ? 1 : 0));
    const bool non_finite = name == "nan" || name == "inf" || name == "infinity";
    absl::StrAppend(&json, non_finite ? "null" : word);
    i = end - 1;
  }
  return json;
}

absl::Status FailedTraining(const std::string& what) {
  return MarkTrainingFailure(absl::InvalidArgumentError(what), what);
}

// An answer that is one, and for this epoch.
absl::StatusOr<ordered_json> ParseObject(const std::string& line, int epoch) {
  ordered_json answer = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    answer = ordered_json::parse(WithoutNonFinite(line), nullptr, /*allow_exceptions=*/false);
  }
  if (!answer.is_object()) return BadAnswer(line, "is not a JSON object");
  if (answer.contains("error")) {
    const std::string error =
        answer["error"].is_string() ? answer["error"].get<std::string>() : answer["error"].dump();
    if (answer.contains("failed") && answer["failed"] == true) {
      return MarkTrainingFailure(absl::AbortedError(error), error);
    }
    return absl::AbortedError(absl::StrCat("the child gave up: ", error));
  }
  OP3D_ASSIGN_OR_RETURN(const double answered, Number(answer, "epoch", true, line));
  if (answered != epoch) {
    return BadAnswer(line, absl::StrCat("is for another epoch than ", epoch));
  }
  return answer;
}

absl::StatusOr<double> Amount(const ordered_json& answer, const char* name,
                              absl::string_view line) {
  OP3D_ASSIGN_OR_RETURN(const double amount, Number(answer, name, true, line));
  if (amount >= 0 && amount < 1e18) return amount;
  return BadAnswer(line, absl::StrCat("has a \"", name, "\" that is out of range"));
}

absl::StatusOr<EdgeEstimate> ParseEstimate(const std::string& line, int epoch) {
  OP3D_ASSIGN_OR_RETURN(const ordered_json answer, ParseObject(line, epoch));
  OP3D_ASSIGN_OR_RETURN(const double clips, Amount(answer, "clips", line));
  OP3D_ASSIGN_OR_RETURN(const double train, Amount(answer, "train_seconds", line));
  OP3D_ASSIGN_OR_RETURN(const double measure, Amount(answer, "measure_seconds", line));
  OP3D_ASSIGN_OR_RETURN(const double memory, Amount(answer, "memory_bytes", line));
  OP3D_ASSIGN_OR_RETURN(const double training, Amount(answer, "training_bytes", line));
  OP3D_ASSIGN_OR_RETURN(const double kept, Amount(answer, "kept_bytes", line));
  EdgeEstimate estimate;
  estimate.clips = static_cast<int64_t>(clips);
  estimate.train_seconds = train;
  estimate.measure_seconds = measure;
  estimate.memory_bytes = static_cast<int64_t>(memory);
  estimate.training_bytes = static_cast<int64_t>(training);
  estimate.kept_bytes = static_cast<int64_t>(kept);
  return estimate;
}

// A plain command takes the shell's place, so that it is the child that signals reach; `env`
// because it may begin with assignments.
std::string Command(const ChildRunnerOptions& options) {
  const std::string command =
      absl::StrCat(options.launcher, options.launcher.empty() ? "" : " ", options.command);
  const bool plain = command.find_first_of(";&|()<>{}\n") == std::string::npos;
  return plain && !absl::StartsWith(command, "exec ") ? absl::StrCat("exec env ", command)
                                                      : command;
}

absl::Status NeedFolder(const std::string& folder, absl::string_view what) {
  if (FolderExists(folder)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, " are gone: there is no folder ", folder,
                   ", but the journal says they were kept in it. Put it back, or search in a new "
                   "folder"));
}

}  // namespace

absl::StatusOr<CurvePoint> ChildRunner::ParseAnswer(const std::string& line, int epoch,
                                                    absl::string_view request) {
  OP3D_ASSIGN_OR_RETURN(ordered_json answer, ParseObject(line, epoch));
  CurvePoint point;
  point.set_epoch(epoch);
  if (request == "keep") return point;
  // Before training there is no loss; some print the mean of nothing.
  if (request == "measure") answer.erase("loss");
  for (const char* name : {"performance", "loss"}) {
    if (!answer.contains(name) || !answer[name].is_null()) continue;
    return FailedTraining(absl::StrCat("the ", name, " is not a finite number: training has ",
                                       "diverged; lower the state's learning rate"));
  }
  OP3D_ASSIGN_OR_RETURN(const double value, Number(answer, "performance", true, line));
  if (value < 0) {
    return FailedTraining(
        absl::StrCat("the performance is ", value, ", but a share of right answers is at least 0"));
  }
  point.set_performance(value);
  OP3D_ASSIGN_OR_RETURN(const double top1, Number(answer, "top1", false, line));
  OP3D_ASSIGN_OR_RETURN(const double top3, Number(answer, "top3", false, line));
  OP3D_ASSIGN_OR_RETURN(const double top5, Number(answer, "top5", false, line));
  OP3D_ASSIGN_OR_RETURN(const double loss, Number(answer, "loss", false, line));
  OP3D_ASSIGN_OR_RETURN(chance_, Number(answer, "chance", false, line));
  point.set_top1(top1);
  point.set_top3(top3);
  point.set_top5(top5);
  point.set_loss(loss);
  OP3D_ASSIGN_OR_RETURN(const double probability, Number(answer, "probability", false, line));
  point.set_probability(probability);
  if (answer.contains("unmeasured")) {
    if (!answer["unmeasured"].is_boolean()) {
      return BadAnswer(line, "has an \"unmeasured\" that is neither true nor false");
    }
    point.set_unmeasured(answer["unmeasured"].get<bool>());
  }
  return point;
}

absl::StatusOr<std::string> ChildRunner::AskOnce(const std::string& line) {
  if (child_ == nullptr) {
    OP3D_ASSIGN_OR_RETURN(child_, ChildProcess::Start(Command(options_), options_.folder));
  }
  OP3D_RETURN_IF_ERROR(child_->WriteLine(line));
  const absl::Time until = absl::Now() + options_.answer_timeout;
  for (;;) {
    OP3D_ASSIGN_OR_RETURN(std::string answer, child_->ReadLine(until - absl::Now()));
    if (absl::StartsWith(answer, "{")) return answer;
    std::fprintf(stderr, "%s\n", answer.c_str());
  }
}

absl::StatusOr<CurvePoint> ChildRunner::Ask(const EdgeTask& task, absl::string_view request,
                                            int epoch) {
  if (!task.source_folder.empty()) {
    OP3D_RETURN_IF_ERROR(NeedFolder(task.source_folder, "the weights to start from"));
  }
  if (epoch > 1) OP3D_RETURN_IF_ERROR(NeedFolder(task.folder, "the weights trained so far"));
  OP3D_RETURN_IF_ERROR(MakeFolders(task.folder));
  const std::string line = Request(task, request, epoch);
  for (int attempt = 0;; ++attempt) {
    const absl::StatusOr<std::string> answer = AskOnce(line);
    if (answer.ok()) return ParseAnswer(*answer, epoch, request);
    child_.reset();
    const bool lost =
        absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
    if (!lost) return answer.status();
    if (attempt >= options_.retries) {
      return Annotate(answer.status(), absl::StrCat(options_.command, ", tried ", attempt + 1,
                                                    attempt == 0 ? " time" : " times"));
    }
    std::fprintf(stderr, "%s, epoch %d: %s; trying again with a new child\n",
                 EdgeName(*task.transition).c_str(), epoch,
                 std::string(answer.status().message()).c_str());
  }
}

absl::StatusOr<CurvePoint> ChildRunner::Measure(const EdgeTask& task) {
  return Ask(task, "measure", 0);
}

absl::StatusOr<CurvePoint> ChildRunner::TrainEpoch(const EdgeTask& task, int epoch) {
  return Ask(task, "train", epoch);
}

absl::Status ChildRunner::Finish(const EdgeTask& task, int epoch) {
  const absl::Status status = Ask(task, "keep", epoch).status();
  child_.reset();
  return status;
}

absl::Status ChildRunner::Abandon(const EdgeTask&) {
  child_.reset();
  return absl::OkStatus();
}

absl::StatusOr<EdgeEstimate> ChildRunner::Estimate(const EdgeTask& task, int epochs) {
  OP3D_ASSIGN_OR_RETURN(const std::string answer, AskOnce(Request(task, "estimate", epochs)));
  return ParseEstimate(answer, epochs);
}

}  // namespace op3d
