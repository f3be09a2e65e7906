// The folder of one run: locked while it is used, tied to its settings (any message), with a log.
//
//   OP3D_ASSIGN_OR_RETURN(auto folder, RunFolder::Open(path, settings));
//   folder->Log("search_started", {{"edges", 28}});
//   WriteTextproto(folder->Path("plan.textproto"), plan);
#ifndef OP3D_BASE_PROGRAM_RUN_FOLDER_H_
#define OP3D_BASE_PROGRAM_RUN_FOLDER_H_

#include <google/protobuf/message.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "op3d/base/io/append_file.h"

namespace op3d {

class RunFolder {
 public:
  // Creates the folder, or resumes the run in it.  A run that ended before it trained anything
  // does not count: its folder is used as a new one, and only its log is kept.  FailedPrecondition
  // if another process uses it, if it contains a run with other settings (the first difference is
  // named) or something that is not a run; then nothing in it is changed.
  static absl::StatusOr<std::unique_ptr<RunFolder>> Open(const std::string& path,
                                                         const google::protobuf::Message& settings);
  // The status that Open() would return for the folder and its settings, for a dry run: nothing is
  // created, changed or locked.
  static absl::Status Check(const std::string& path, const google::protobuf::Message& settings);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(absl::string_view name) const;

  // The number of times that a run was resumed in this folder.
  int resumed() const { return resumed_; }

  // Appends one JSON object with time, event and `fields` as a line to log.jsonl, which the first
  // call creates.  Errors are ignored: a full disk does not stop a run because of its log.
  // Thread-safe.
  void Log(absl::string_view event, nlohmann::json fields);

 private:
  explicit RunFolder(const std::string& path) : path_(path) {}

  const std::string path_;
  int lock_ = -1;
  int resumed_ = 0;
  absl::Mutex mutex_;
  std::unique_ptr<AppendFile> log_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace op3d

#endif  // OP3D_BASE_PROGRAM_RUN_FOLDER_H_
