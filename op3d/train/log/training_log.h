// The log of a training, a JSON object a line, that a training taken up again continues as if it
// had never been stopped.
//
//   OP3D_ASSIGN_OR_RETURN(auto log, TrainingLog::Open(JoinPath(folder, "log.jsonl")));
//   OP3D_RETURN_IF_ERROR(log->Rollback(1, 3, 12, 3));     // drops what a killed process logged later
//   log->Write("step", {1, 4, 1}, {{"loss", 2.25}}, {{"wait", 0.01}});
//
//   {"event":"step","state":1,"epoch":4,"step":1,"loss":2.25,"volatile":{"time":"...","wait":0.01}}
//
// Only what is under "volatile" differs between equal runs.  Lines without a state are notes
// about processes ("started", "stopped"); they stay.
#ifndef OP3D_TRAIN_LOG_TRAINING_LOG_H_
#define OP3D_TRAIN_LOG_TRAINING_LOG_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/append_file.h"

namespace op3d {

// What a line is about: states and epochs from 1; a step of the epoch from 1, or 0 for the whole
// epoch.
struct LogPlace {
  int state = 0;
  int epoch = 0;
  int64_t step = 0;
};

// Not thread-safe.
class TrainingLog {
 public:
  // Makes the file where there is none; a line that was cut off by a crash is removed.
  static absl::StatusOr<std::unique_ptr<TrainingLog>> Open(const std::string& path);
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  // Removes all lines of later states, and of `state` the steps after `epochs` whole epochs and
  // `steps` of the next, and the epochs after `reported` ones.
  absl::Status Rollback(int state, int epochs, int64_t steps, int reported);

  // A full disk does not stop a run for its log.
  void Write(absl::string_view event, const LogPlace& place, const nlohmann::ordered_json& fields,
             const nlohmann::ordered_json& volatile_fields = nlohmann::ordered_json::object());
  void Note(absl::string_view event, const nlohmann::ordered_json& fields);

  // Until all is on the disk.
  void Sync();

  // The newest line about a whole epoch in the log `path`; null without one.  NotFound where there
  // is no log.
  static absl::StatusOr<nlohmann::ordered_json> LastEpoch(const std::string& path);

 private:
  explicit TrainingLog(const std::string& path) : path_(path) {}
  void Append(nlohmann::ordered_json line, const nlohmann::ordered_json& volatile_fields);

  const std::string path_;
  std::unique_ptr<AppendFile> file_;
};

}  // namespace op3d

#endif  // OP3D_TRAIN_LOG_TRAINING_LOG_H_
