// The log of a training, one JSON object per line.  A resumed training continues it as if it
// had never been stopped.
//
//   OP3D_ASSIGN_OR_RETURN(auto log, TrainingLog::Open(JoinPath(folder, "log.jsonl")));
//   OP3D_RETURN_IF_ERROR(log->Rollback(1, 3, 12, 3));   // drops later lines of a killed process
//   log->Write("step", {1, 4, 1}, {{"loss", 2.25}}, {{"wait", 0.01}});
//
//   {"event":"step","state":1,"epoch":4,"step":1,"loss":2.25,"volatile":{"time":"...","wait":0.01}}
//
// Only the fields under "volatile" differ between equal runs.  Lines without a state are notes
// about processes ("started", "stopped"); they are never removed.
#ifndef OP3D_TRAIN_LOG_TRAINING_LOG_H_
#define OP3D_TRAIN_LOG_TRAINING_LOG_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/io/append_file.h"

namespace op3d {

// The position of a line: states and epochs from 1; a step of the epoch from 1, or 0 for the whole
// epoch.
struct LogPlace {
  int state = 0;
  int epoch = 0;
  int64_t step = 0;
};

// Not thread-safe.
class TrainingLog {
 public:
  // Creates the file if it does not exist; removes a line that was truncated by a crash.
  static absl::StatusOr<std::unique_ptr<TrainingLog>> Open(const std::string& path);
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  // Removes all lines of later states, and of `state` the steps after `epochs` complete epochs and
  // `steps` steps of the next, and the epochs after `reported` ones.
  absl::Status Rollback(int state, int epochs, int64_t steps, int reported);

  // Errors are ignored: a full disk does not stop a run because of its log.
  void Write(absl::string_view event, const LogPlace& place, const nlohmann::ordered_json& fields,
             const nlohmann::ordered_json& volatile_fields = nlohmann::ordered_json::object());
  void Note(absl::string_view event, const nlohmann::ordered_json& fields);

  // Waits until everything is on the disk.
  void Sync();

  // The newest line about a whole epoch in the log `path`; null if there is none.  NotFound without
  // a log.
  static absl::StatusOr<nlohmann::ordered_json> LastEpoch(const std::string& path);

 private:
  explicit TrainingLog(const std::string& path) : path_(path) {}
  void Append(nlohmann::ordered_json line, const nlohmann::ordered_json& volatile_fields);

  const std::string path_;
  std::unique_ptr<AppendFile> file_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_LOG_TRAINING_LOG_H_
