#include "planner/runner/child_runner.h"

#include <cmath>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"
#include "op3d/train/edge/edge_protocol.h"

namespace op3d::planner {
namespace {

absl::Status FailedTraining(const std::string& what) {
  return MarkTrainingFailure(absl::InvalidArgumentError(what), what);
}

// Parses the answer for this epoch; an error reported by the child is returned as an error.
absl::StatusOr<EdgeAnswer> ParseAnswerFor(const std::string& line, int epoch) {
  OP3D_ASSIGN_OR_RETURN(EdgeAnswer answer, ParseEdgeAnswer(line));
  if (answer.has_error()) {
    if (answer.failed()) {
      return MarkTrainingFailure(absl::AbortedError(answer.error()), answer.error());
    }
    return absl::AbortedError(absl::StrCat("the child gave up: ", answer.error()));
  }
  if (!answer.has_epoch()) return BadAnswer(line, "has no \"epoch\"");
  if (answer.epoch() == epoch) return answer;
  return BadAnswer(line, absl::StrCat("is for another epoch than ", epoch));
}

absl::Status NeedFolder(const std::string& folder, absl::string_view what) {
  if (FolderExists(folder)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, " are gone: there is no folder ", folder,
                   ", where they were kept according to the journal. Put the folder back, or "
                   "search in a new one"));
}

}  // namespace

absl::StatusOr<CurvePoint> ChildRunner::ParseAnswer(const std::string& line, int epoch,
                                                    absl::string_view request) {
  OP3D_ASSIGN_OR_RETURN(EdgeAnswer answer, ParseAnswerFor(line, epoch));
  CurvePoint point;
  point.set_epoch(epoch);
  if (request == kKeepRequest) return point;
  // Before training there is no loss; some programs print the mean of nothing.
  if (request == kMeasureRequest) answer.clear_loss();
  if (!answer.has_performance()) return BadAnswer(line, "has no \"performance\"");
  const std::pair<const char*, double> decisive[] = {{"performance", answer.performance()},
                                                     {"loss", answer.loss()}};
  for (const auto& [name, value] : decisive) {
    if (std::isfinite(value)) continue;
    return FailedTraining(absl::StrCat("the ", name, " is not a finite number: training has ",
                                       "diverged; lower the state's learning rate"));
  }
  if (answer.performance() < 0) {
    return FailedTraining(absl::StrCat("the performance is ", answer.performance(),
                                       ", but a performance must be at least 0"));
  }
  const std::pair<const char*, double> others[] = {{"top1", answer.top1()},
                                                   {"top3", answer.top3()},
                                                   {"top5", answer.top5()},
                                                   {"chance", answer.chance()},
                                                   {"probability", answer.probability()}};
  for (const auto& [name, value] : others) {
    if (std::isfinite(value)) continue;
    return BadAnswer(line, absl::StrCat("has a \"", name, "\" that is not a finite number"));
  }
  point.set_performance(answer.performance());
  point.set_top1(answer.top1());
  point.set_top3(answer.top3());
  point.set_top5(answer.top5());
  point.set_loss(answer.loss());
  point.set_probability(answer.probability());
  point.set_unmeasured(answer.unmeasured());
  chance_ = answer.chance();
  return point;
}

absl::StatusOr<std::string> ChildRunner::AskOnce(const std::string& line) {
  if (child_ == nullptr) {
    OP3D_ASSIGN_OR_RETURN(
        child_,
        ChildProcess::Start(LaunchCommand(options_.launcher, options_.command), options_.folder));
  }
  OP3D_RETURN_IF_ERROR(child_->WriteLine(line));
  return child_->ReadAnswer(options_.answer_timeout);
}

absl::StatusOr<CurvePoint> ChildRunner::Ask(const EdgeTask& task, absl::string_view request,
                                            int epoch) {
  if (!task.source().empty()) {
    OP3D_RETURN_IF_ERROR(NeedFolder(task.source(), "the weights to start from"));
  }
  if (epoch > 1) OP3D_RETURN_IF_ERROR(NeedFolder(task.folder(), "the weights trained so far"));
  OP3D_RETURN_IF_ERROR(MakeFolders(task.folder()));
  const std::string line = RequestLine(task, request, epoch);
  for (int attempt = 0;; ++attempt) {
    const absl::Time start = absl::Now();
    const absl::StatusOr<std::string> answer = AskOnce(line);
    if (answer.ok()) return ParseAnswer(*answer, epoch, request);
    const bool stopped = child_ != nullptr && child_->WasStopped();
    if (stopped && absl::Now() - start >= options_.progress) --attempt;
    child_.reset();
    const bool lost =
        absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
    if (!lost) return answer.status();
    if (attempt >= options_.retries) {
      return Annotate(answer.status(), absl::StrCat(options_.command, ", tried ", attempt + 1,
                                                    attempt == 0 ? " time" : " times"));
    }
    std::fprintf(stderr, "%s, epoch %d: %s; trying again with a new child\n",
                 task.name().c_str(), epoch,
                 std::string(answer.status().message()).c_str());
  }
}

absl::StatusOr<CurvePoint> ChildRunner::Measure(const EdgeTask& task) {
  return Ask(task, kMeasureRequest, 0);
}

absl::StatusOr<CurvePoint> ChildRunner::TrainEpoch(const EdgeTask& task, int epoch) {
  return Ask(task, kTrainRequest, epoch);
}

absl::Status ChildRunner::Finish(const EdgeTask& task, int epoch) {
  const absl::Status status = Ask(task, kKeepRequest, epoch).status();
  if (!status.ok() || !options_.keep_child) child_.reset();
  return status;
}

absl::Status ChildRunner::Abandon(const EdgeTask&) {
  child_.reset();
  return absl::OkStatus();
}

absl::StatusOr<EdgeCost> ChildRunner::Estimate(const EdgeTask& task, int epochs) {
  OP3D_ASSIGN_OR_RETURN(const std::string line,
                        AskOnce(RequestLine(task, kEstimateRequest, epochs)));
  OP3D_RETURN_IF_ERROR(ParseAnswerFor(line, epochs).status());
  return ParseEdgeCost(line);
}

}  // namespace op3d::planner
