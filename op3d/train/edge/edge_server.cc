#include "op3d/train/edge/edge_server.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d {
namespace {

constexpr size_t kLongestLine = size_t{1} << 20;
constexpr int kPollMilliseconds = 100;

// The lines of a file descriptor; a signal ends the waiting.
class Lines {
 public:
  explicit Lines(int input) : input_(input) {}

  // The next line; nullopt at the end of the input.
  absl::StatusOr<std::optional<std::string>> Next() {
    for (;;) {
      const size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return std::optional<std::string>(std::move(line));
      }
      if (buffer_.size() > kLongestLine) {
        return absl::InvalidArgumentError("a request of more than 1 MiB");
      }
      OP3D_RETURN_IF_ERROR(CheckInterrupt());
      pollfd ready = {input_, POLLIN, 0};
      if (::poll(&ready, 1, kPollMilliseconds) <= 0) continue;
      std::array<char, 4096> chunk;
      const ssize_t count = ::read(input_, chunk.data(), chunk.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoStatus(errno, "cannot read", "requests");
      if (count == 0) return std::optional<std::string>();
      buffer_.append(chunk.data(), static_cast<size_t>(count));
    }
  }

 private:
  const int input_;
  std::string buffer_;
};

absl::Status WriteLine(int output, absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = ::write(output, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot write", "answers");
    written += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> AnswerEdge(const std::string& line, EdgeTrainer* trainer,
                                       const EstimateEdgeFunction& estimate) {
  OP3D_ASSIGN_OR_RETURN(const EdgeRequest request, ParseEdgeRequest(line));
  const std::string& kind = request.request();
  const EdgeTask task = ToEdgeTask(request);
  if (kind == kEstimateRequest) {
    if (estimate == nullptr) {
      return absl::UnimplementedError("this program does not estimate the cost of edges");
    }
    OP3D_ASSIGN_OR_RETURN(EdgeCost cost, estimate(task.state(), request.epoch()));
    cost.set_epoch(request.epoch());
    return EstimateAnswer(cost);
  }
  if (kind == kKeepRequest) {
    OP3D_RETURN_IF_ERROR(trainer->Finish(task, request.epoch()));
    return KeepAnswer(request.epoch());
  }
  CurvePoint point;
  if (kind == kMeasureRequest) {
    OP3D_ASSIGN_OR_RETURN(point, trainer->Measure(task));
  } else {
    OP3D_ASSIGN_OR_RETURN(point, trainer->TrainEpoch(task, request.epoch()));
  }
  OP3D_RETURN_IF_ERROR(trainer->Flush());
  return MeasureAnswer(point, trainer->Chance());
}

absl::Status ServeLines(int input, int output, const AnswerFunction& answer, ProcessGroup* group) {
  const bool first = group == nullptr || group->rank() == 0;
  const SayFunction say = [&](absl::string_view line) {
    return first ? WriteLine(output, line) : absl::OkStatus();
  };
  Lines lines(input);
  for (;;) {
    std::string line;  // empty: the end
    if (first) {
      OP3D_ASSIGN_OR_RETURN(const std::optional<std::string> next, lines.Next());
      if (next.has_value() && next->empty()) continue;
      line = next.value_or("");
    }
    if (group != nullptr) {
      OP3D_ASSIGN_OR_RETURN(line, group->Broadcast(line));
    }
    if (line.empty()) return absl::OkStatus();
    const absl::StatusOr<std::string> text = answer(line, say);
    if (absl::IsCancelled(text.status())) return text.status();
    // A rank is lost, not the work: without an answer the parent starts all ranks again.
    if (group != nullptr && absl::IsUnavailable(text.status())) return text.status();
    OP3D_RETURN_IF_ERROR(say(text.ok() ? *text : ErrorAnswer(text.status())));
    // If ranks disagree about an error they cannot continue together.
    if (!text.ok() && group != nullptr) return text.status();
  }
}

absl::Status ServeEdges(int input, int output, EdgeTrainer* trainer,
                        const EstimateEdgeFunction& estimate, ProcessGroup* group) {
  const auto answer = [&](const std::string& line, const SayFunction&) {
    return AnswerEdge(line, trainer, estimate);
  };
  return ServeLines(input, output, answer, group);
}

}  // namespace op3d
