// A command that runs beside this process and talks with it line by line.
//
//   OP3D_ASSIGN_OR_RETURN(auto child, ChildProcess::Start("python3 my_train.py", "."));
//   OP3D_RETURN_IF_ERROR(child->WriteLine("hello"));
//   OP3D_ASSIGN_OR_RETURN(std::string answer, child->ReadLine(absl::Minutes(5)));
//
// Its standard input and output are ours, its standard error is this process's.  It leads a process
// group of its own: Ctrl-C reaches this process alone, which then ends the child.
#ifndef OP3D_PLANNER_RUNNER_CHILD_PROCESS_H_
#define OP3D_PLANNER_RUNNER_CHILD_PROCESS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "op3d/base/subprocess.h"

namespace op3d {

// Not thread-safe; several may live in one process.  The first one started makes this process
// ignore SIGPIPE.
class ChildProcess {
 public:
  // Starts /bin/sh -c `command` in `folder`.  A command that cannot be run is told by the
  // first line that is read.  The child is killed when the thread that started it ends, so that it
  // does not outlive a killed parent.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(const std::string& command,
                                                             const std::string& folder);

  // Closes its input and gives it 2 s to end, then SIGTERM and 2 s more, then SIGKILL.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // `line` without a newline.  Unavailable when the child has ended.
  absl::Status WriteLine(absl::string_view line);

  // The next line, without its newline.  Unavailable, saying how it ended, when there is none any
  // more; DeadlineExceeded after `timeout`; Cancelled on SIGINT or SIGTERM, asked ten times a
  // second; InvalidArgument for a line of more than 1 MiB.
  absl::StatusOr<std::string> ReadLine(absl::Duration timeout);

 private:
  explicit ChildProcess(std::unique_ptr<Subprocess> process) : process_(std::move(process)) {}
  absl::Status Ended();

  const std::unique_ptr<Subprocess> process_;
  // Read and not yet given out.
  std::string buffer_;
};

}  // namespace op3d

#endif  // OP3D_PLANNER_RUNNER_CHILD_PROCESS_H_
