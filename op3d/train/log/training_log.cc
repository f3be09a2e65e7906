#include "op3d/train/log/training_log.h"

#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using nlohmann::ordered_json;

int64_t Number(const ordered_json& line, const char* name) {
  return line.contains(name) && line[name].is_number_integer() ? line[name].get<int64_t>() : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingLog>> TrainingLog::Open(const std::string& path) {
  std::unique_ptr<TrainingLog> log(new TrainingLog(path));
  OP3D_ASSIGN_OR_RETURN(log->file_, AppendFile::Open(path));
  OP3D_RETURN_IF_ERROR(log->file_->CutTornLine());
  return log;
}

absl::Status TrainingLog::Rollback(int state, int epochs, int64_t steps, int reported) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path_));
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const ordered_json json = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    const int64_t its_state = Number(json, "state"), epoch = Number(json, "epoch");
    const int64_t step = Number(json, "step");
    const bool done =
        step == 0 ? epoch <= reported : epoch <= epochs || (epoch == epochs + 1 && step <= steps);
    if (its_state < state || (its_state == state && done)) {
      absl::StrAppend(&kept, line, "\n");
    }
  }
  if (kept == text) return absl::OkStatus();
  OP3D_RETURN_IF_ERROR(WriteFileAtomically(path_, kept));
  OP3D_ASSIGN_OR_RETURN(file_, AppendFile::Open(path_));
  return absl::OkStatus();
}

absl::StatusOr<ordered_json> TrainingLog::LastEpoch(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  ordered_json last;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    ordered_json json = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("event") && json["event"] == "epoch")
      last = std::move(json);
  }
  return last;
}

void TrainingLog::Append(ordered_json line, const ordered_json& volatile_fields) {
  ordered_json& last = line["volatile"];
  last["time"] = absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::LocalTimeZone());
  if (!volatile_fields.empty()) last.update(volatile_fields);  // {} is null, which has no fields
  file_
      ->Append(
          absl::StrCat(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace), "\n"))
      .IgnoreError();
}

void TrainingLog::Write(absl::string_view event, const LogPlace& place, const ordered_json& fields,
                        const ordered_json& volatile_fields) {
  ordered_json line = {
      {"event", std::string(event)}, {"state", place.state}, {"epoch", place.epoch}};
  if (place.step > 0) line["step"] = place.step;
  if (!fields.empty()) line.update(fields);
  Append(std::move(line), volatile_fields);
}

void TrainingLog::Note(absl::string_view event, const ordered_json& fields) {
  Append({{"event", std::string(event)}}, fields);
}

void TrainingLog::Sync() { file_->Sync().IgnoreError(); }

}  // namespace op3d
