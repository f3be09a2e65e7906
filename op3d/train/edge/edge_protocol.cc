#include "op3d/train/edge/edge_protocol.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"

namespace op3d {
namespace {

constexpr int kProtocol = 1;
constexpr size_t kShown = 200;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the request ", what));
}

// Works for all messages of edge.proto.
std::string Line(const google::protobuf::Message& message) {
  const absl::StatusOr<std::string> line = PrintProtoJson(message);
  return line.ok() ? *line
                   : absl::StrCat("cannot be written: ", std::string(line.status().message()));
}

absl::Status NeedAtLeast(int value, int least, absl::string_view name) {
  if (value >= least) return absl::OkStatus();
  return Bad(absl::StrCat("has a \"", name, "\" of ", value, "; it must be at least ", least));
}

absl::Status CheckState(const StateSettings& state) {
  if (state.name().empty()) return Bad("has a \"state\" without a \"name\"");
  OP3D_RETURN_IF_ERROR(NeedAtLeast(state.segments(), 1, "segments"));
  OP3D_RETURN_IF_ERROR(NeedAtLeast(state.frames_per_segment(), 1, "frames_per_segment"));
  OP3D_RETURN_IF_ERROR(NeedAtLeast(state.stride(), 1, "stride"));
  OP3D_RETURN_IF_ERROR(NeedAtLeast(state.batch_size(), 1, "batch_size"));
  OP3D_RETURN_IF_ERROR(NeedAtLeast(state.accumulation(), 1, "accumulation"));
  OP3D_RETURN_IF_ERROR(NeedAtLeast(state.crop(), 0, "crop"));
  if (state.learning_rate() > 0) return absl::OkStatus();
  return Bad("has no \"learning_rate\" above 0");
}

// JSON has no NaN and no infinity, but Python, C++ and others print them.  As a performance or a loss
// null means the same; elsewhere it means that a field is not set.
std::string QuoteNonFinite(absl::string_view line) {
  std::string json;
  bool in_string = false;
  size_t begin = 0;
  absl::string_view key;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool sign = line[i] == '-' || line[i] == '+';
    if (in_string || !(sign || absl::ascii_isalpha(line[i]))) {
      if (line[i] == '"') {
        in_string = !in_string;
        if (in_string) {
          begin = i + 1;
        } else {
          key = line.substr(begin, i - begin);
        }
      }
      json += line[i];
      if (in_string && line[i] == '\\' && i + 1 < line.size()) json += line[++i];
      continue;
    }
    size_t end = i + 1;
    while (end < line.size() && absl::ascii_isalpha(line[end])) ++end;
    const absl::string_view word = line.substr(i, end - i);
    const std::string name = absl::AsciiStrToLower(word.substr(sign ? 1 : 0));
    const bool non_finite = name == "nan" || name == "inf" || name == "infinity" ||
                            (name == "null" && (key == "performance" || key == "loss"));
    absl::StrAppend(&json, non_finite ? "\"NaN\"" : word);
    i = end - 1;
  }
  return json;
}

}  // namespace

absl::StatusOr<EdgeRequest> ParseEdgeRequest(absl::string_view line) {
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "{")) {
    return Bad(absl::StrCat("is not a JSON object: ", line.substr(0, kShown)));
  }
  EdgeRequest request;
  const absl::Status fault = ParseProtoJson(line, /*ignore_unknown=*/false, &request);
  // Checked first, because another version may have other fields.
  if (request.has_protocol() && request.protocol() != kProtocol) {
    return Bad(
        absl::StrCat("speaks protocol ", request.protocol(), "; this program speaks ", kProtocol));
  }
  if (!fault.ok()) {
    return Bad(absl::StrCat("cannot be read: ", fault.message(), ": ", line.substr(0, kShown)));
  }
  const std::pair<const char*, bool> needed[] = {
      {"protocol", request.has_protocol()}, {"request", request.has_request()},
      {"epoch", request.has_epoch()},       {"edge", request.has_edge()},
      {"state", request.has_state()},       {"source", request.has_source()},
      {"folder", request.has_folder()}};
  for (const auto& [name, there] : needed) {
    if (!there) return Bad(absl::StrCat("has no \"", name, "\""));
  }
  const std::string& kind = request.request();
  if (kind != kMeasureRequest && kind != kTrainRequest && kind != kKeepRequest &&
      kind != kEstimateRequest) {
    return Bad(absl::StrCat("is '", kind, "'; there are measure, train, keep and estimate"));
  }
  const bool from_one = kind == kTrainRequest || kind == kEstimateRequest;
  OP3D_RETURN_IF_ERROR(NeedAtLeast(request.epoch(), from_one ? 1 : 0, "epoch"));
  if (request.has_epochs()) OP3D_RETURN_IF_ERROR(NeedAtLeast(request.epochs(), 1, "epochs"));
  OP3D_RETURN_IF_ERROR(CheckState(request.state()));
  if (request.folder().empty()) return Bad("has an empty \"folder\"");
  return request;
}

EdgeTask ToEdgeTask(const EdgeRequest& request) {
  EdgeTask task;
  task.set_name(request.edge());
  *task.mutable_state() = request.state();
  task.set_epochs(request.epochs());
  task.set_source(request.source());
  task.set_folder(request.folder());
  return task;
}

std::string MeasureAnswer(const CurvePoint& point, double chance) {
  EdgeAnswer answer;
  answer.set_epoch(point.epoch());
  answer.set_performance(point.performance());
  answer.set_top1(point.top1());
  answer.set_top3(point.top3());
  answer.set_top5(point.top5());
  answer.set_loss(point.loss());
  answer.set_chance(chance);
  if (point.probability() != 0) answer.set_probability(point.probability());
  if (point.unmeasured()) answer.set_unmeasured(true);
  return Line(answer);
}

std::string KeepAnswer(int epoch) {
  EdgeAnswer answer;
  answer.set_epoch(epoch);
  return Line(answer);
}

std::string EstimateAnswer(const EdgeCost& cost) { return Line(cost); }

std::string ErrorAnswer(const absl::Status& status) {
  EdgeAnswer answer;
  const auto failure = TrainingFailureOf(status);
  answer.set_error(ToUtf8(failure ? *failure : std::string(status.message())));
  if (failure) answer.set_failed(true);
  return Line(answer);
}

std::string RequestLine(const EdgeTask& task, absl::string_view request, int epoch) {
  EdgeRequest line;
  line.set_protocol(kProtocol);
  line.set_request(std::string(request));
  line.set_epoch(epoch);
  line.set_edge(task.name());
  *line.mutable_state() = task.state();
  if (task.epochs() > 0) line.set_epochs(task.epochs());
  line.set_source(task.source());
  line.set_folder(task.folder());
  return Line(line);
}

namespace {

absl::Status ParseAnswer(absl::string_view line, google::protobuf::Message* answer) {
  const absl::Status fault = ParseProtoJson(QuoteNonFinite(line), /*ignore_unknown=*/true, answer);
  if (fault.ok()) return fault;
  return BadAnswer(line, absl::StrCat("cannot be read: ", fault.message()));
}

}  // namespace

absl::StatusOr<EdgeAnswer> ParseEdgeAnswer(absl::string_view line) {
  EdgeAnswer answer;
  OP3D_RETURN_IF_ERROR(ParseAnswer(line, &answer));
  if (!answer.has_protocol() || answer.protocol() == kProtocol) return answer;
  return BadAnswer(line, absl::StrCat("is in protocol ", answer.protocol(), "; this planner speaks ",
                                      kProtocol, ": use planner and child of one version"));
}

absl::StatusOr<EdgeCost> ParseEdgeCost(absl::string_view line) {
  EdgeCost cost;
  OP3D_RETURN_IF_ERROR(ParseAnswer(line, &cost));
  const struct {
    const char* name;
    bool there;
    double value;
  } amounts[] = {{"clips", cost.has_clips(), cost.clips()},
                 {"train_seconds", cost.has_train_seconds(), cost.train_seconds()},
                 {"measure_seconds", cost.has_measure_seconds(), cost.measure_seconds()},
                 {"memory_bytes", cost.has_memory_bytes(), cost.memory_bytes()},
                 {"training_bytes", cost.has_training_bytes(), cost.training_bytes()},
                 {"kept_bytes", cost.has_kept_bytes(), cost.kept_bytes()}};
  for (const auto& amount : amounts) {
    if (!amount.there) return BadAnswer(line, absl::StrCat("has no \"", amount.name, "\""));
    if (amount.value >= 0 && amount.value < 1e18) continue;
    return BadAnswer(line, absl::StrCat("has a \"", amount.name, "\" that is out of range"));
  }
  return cost;
}

absl::Status BadAnswer(absl::string_view line, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("the child's answer ", line.substr(0, kShown), " ", why));
}

}  // namespace op3d
