// A child process with which this process exchanges lines.
//
//   OP3D_ASSIGN_OR_RETURN(auto child, ChildProcess::Start("python3 my_train.py", "."));
//   OP3D_RETURN_IF_ERROR(child->WriteLine("hello"));
//   OP3D_ASSIGN_OR_RETURN(std::string answer, child->ReadLine(absl::Minutes(5)));
//
// Its standard input and output are pipes, its standard error is this process's.  It leads its own
// process group: Ctrl-C only reaches this process, which then ends the child.
#ifndef OP3D_PLANNER_RUNNER_CHILD_PROCESS_H_
#define OP3D_PLANNER_RUNNER_CHILD_PROCESS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "op3d/base/io/subprocess.h"

namespace op3d::planner {

// The command line that starts `command` with a launcher, for Start(); `launcher` may be empty.  A command
// without special characters of the shell replaces the shell, so that signals reach the child.
std::string LaunchCommand(const std::string& launcher, const std::string& command);

// Not thread-safe; one process may have several.  Starting the first one makes this process
// ignore SIGPIPE.
class ChildProcess {
 public:
  // Starts /bin/sh -c `command` in `folder`.  If the command cannot be run, the first ReadLine()
  // reports it.  The child is killed when the thread that started it ends, so that it
  // does not outlive a killed parent.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const std::string& command,
                                                             const std::string& folder);

  // Closes its input and waits 2 s for its end, then sends SIGTERM, after 2 s more SIGKILL.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // `line` without a newline.  Unavailable if the child has ended.
  absl::Status WriteLine(absl::string_view line);

  // The next line, without its newline.  Unavailable, saying how it ended, if there is no further
  // line; DeadlineExceeded after `timeout`; Cancelled on SIGINT or SIGTERM, checked ten times a
  // second; InvalidArgument for a line of more than 1 MiB.
  absl::StatusOr<std::string> ReadLine(absl::Duration timeout);

  // The next line that begins with '{'; others are copied to this process's standard error.  The
  // errors of ReadLine().
  absl::StatusOr<std::string> ReadAnswer(absl::Duration timeout);

  // It has ended because somebody sent it SIGTERM, as a scheduler does that needs its place.
  bool WasStopped();

 private:
  // `timeout` is only named in the error.
  absl::StatusOr<std::string> ReadLineUntil(absl::Time until, absl::Duration timeout);

  explicit ChildProcess(std::unique_ptr<Subprocess> process) : process_(std::move(process)) {}
  absl::Status Ended();

  const std::unique_ptr<Subprocess> process_;
  // Bytes that were read but not yet returned.
  std::string buffer_;
};

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_RUNNER_CHILD_PROCESS_H_
