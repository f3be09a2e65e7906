#include "op3d/train/edge_protocol.h"

#include <google/protobuf/util/json_util.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/training_failure.h"

namespace op3d {
namespace {

using nlohmann::ordered_json;

constexpr int kProtocol = 1;
constexpr size_t kShown = 200;

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the request ", what));
}

absl::Status TakeText(const ordered_json& json, const char* name, std::string* text) {
  if (!json.contains(name) || !json[name].is_string()) {
    return Bad(absl::StrCat("has no text \"", name, "\""));
  }
  *text = json[name].get<std::string>();
  return absl::OkStatus();
}

absl::StatusOr<int> TakeInt(const ordered_json& json, const char* name, int least) {
  if (!json.contains(name) || !json[name].is_number_integer()) {
    return Bad(absl::StrCat("has no whole number \"", name, "\""));
  }
  const int64_t value = json[name].get<int64_t>();
  if (value < least || value > std::numeric_limits<int>::max()) {
    return Bad(absl::StrCat("has a \"", name, "\" of ", value, "; it must be at least ", least));
  }
  return static_cast<int>(value);
}

absl::StatusOr<State> TakeState(const ordered_json& request) {
  if (!request.contains("state") || !request["state"].is_object()) return Bad("has no \"state\"");
  const ordered_json& json = request["state"];
  State state;
  OP3D_RETURN_IF_ERROR(TakeText(json, "name", state.mutable_name()));
  OP3D_ASSIGN_OR_RETURN(const int segments, TakeInt(json, "segments", 1));
  OP3D_ASSIGN_OR_RETURN(const int frames, TakeInt(json, "frames_per_segment", 1));
  OP3D_ASSIGN_OR_RETURN(const int stride, TakeInt(json, "stride", 1));
  OP3D_ASSIGN_OR_RETURN(const int batch_size, TakeInt(json, "batch_size", 1));
  OP3D_ASSIGN_OR_RETURN(const int accumulation, TakeInt(json, "accumulation", 1));
  state.set_segments(segments);
  state.set_frames_per_segment(frames);
  state.set_stride(stride);
  state.set_batch_size(batch_size);
  state.set_accumulation(accumulation);
  if (!json.contains("learning_rate") || !json["learning_rate"].is_number() ||
      !(json["learning_rate"].get<double>() > 0)) {
    return Bad("has no \"learning_rate\" above 0");
  }
  state.set_learning_rate(json["learning_rate"].get<double>());
  if (json.contains("crop")) {
    OP3D_ASSIGN_OR_RETURN(const int crop, TakeInt(json, "crop", 1));
    state.set_crop(crop);
  }
  if (json.contains("frozen_batch_norm")) {
    if (!json["frozen_batch_norm"].is_boolean()) {
      return Bad("has a \"frozen_batch_norm\" that is neither true nor false");
    }
    state.set_frozen_batch_norm(json["frozen_batch_norm"].get<bool>());
  }
  if (json.contains("schedule")) {
    if (!google::protobuf::util::JsonStringToMessage(json["schedule"].dump(),
                                                     state.mutable_schedule())
             .ok()) {
      return Bad(absl::StrCat("has a \"schedule\" that is none: ", json["schedule"].dump()));
    }
  }
  return state;
}

std::string Dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<EdgeRequest> ParseEdgeRequest(absl::string_view line) {
  const ordered_json json = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Bad(absl::StrCat("is not a JSON object: ", line.substr(0, kShown)));
  }
  OP3D_ASSIGN_OR_RETURN(const int protocol, TakeInt(json, "protocol", 0));
  if (protocol != kProtocol) {
    return Bad(absl::StrCat("speaks protocol ", protocol, "; this program speaks ", kProtocol));
  }
  std::string kind;
  OP3D_RETURN_IF_ERROR(TakeText(json, "request", &kind));
  EdgeRequest request;
  if (kind == "measure") {
    request.kind = EdgeRequest::kMeasure;
  } else if (kind == "train") {
    request.kind = EdgeRequest::kTrain;
  } else if (kind == "keep") {
    request.kind = EdgeRequest::kKeep;
  } else if (kind == "estimate") {
    request.kind = EdgeRequest::kEstimate;
  } else {
    return Bad(absl::StrCat("is '", kind, "'; there are measure, train, keep and estimate"));
  }
  const bool from_one =
      request.kind == EdgeRequest::kTrain || request.kind == EdgeRequest::kEstimate;
  OP3D_ASSIGN_OR_RETURN(request.epoch, TakeInt(json, "epoch", from_one ? 1 : 0));
  OP3D_RETURN_IF_ERROR(TakeText(json, "edge", &request.edge));
  OP3D_ASSIGN_OR_RETURN(request.state, TakeState(json));
  if (json.contains("epochs")) {
    OP3D_ASSIGN_OR_RETURN(request.epochs, TakeInt(json, "epochs", 1));
  }
  OP3D_RETURN_IF_ERROR(TakeText(json, "source", &request.source));
  OP3D_RETURN_IF_ERROR(TakeText(json, "folder", &request.folder));
  if (request.folder.empty()) return Bad("has an empty \"folder\"");
  return request;
}

std::string MeasureAnswer(int epoch, const MeasuredShares& shares) {
  ordered_json answer = {{"epoch", epoch},
                         {"performance", shares.performance},
                         {"top1", shares.top1},
                         {"top3", shares.top3},
                         {"top5", shares.top5},
                         {"loss", shares.loss},
                         {"chance", shares.chance}};
  if (shares.probability != 0) answer["probability"] = shares.probability;
  if (shares.unmeasured) answer["unmeasured"] = true;
  return Dump(answer);
}

std::string KeepAnswer(int epoch) { return Dump({{"epoch", epoch}}); }

std::string EstimateAnswer(int epoch, const EdgeCost& cost) {
  return Dump({{"epoch", epoch},
               {"clips", cost.clips},
               {"train_seconds", cost.train_seconds},
               {"measure_seconds", cost.measure_seconds},
               {"memory_bytes", cost.memory_bytes},
               {"training_bytes", cost.training_bytes},
               {"kept_bytes", cost.kept_bytes}});
}

std::string ErrorAnswer(const absl::Status& status) {
  if (const auto failure = TrainingFailureOf(status); failure) {
    return Dump({{"error", *failure}, {"failed", true}});
  }
  return Dump({{"error", std::string(status.message())}});
}

}  // namespace op3d
