// A program that runs beside this process.
//
//   SubprocessOptions options;
//   options.command = {"/bin/sh", "-c", "python3 my_train.py"};
//   options.log = JoinPath(folder, "log");
//   OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Subprocess> child, Subprocess::Start(options));
//   Use(child->Wait());                                         // its exit code
#ifndef OP3D_BASE_IO_SUBPROCESS_H_
#define OP3D_BASE_IO_SUBPROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace op3d {

struct SubprocessOptions {
  // The program's path and its arguments.
  std::vector<std::string> command;
  // Where it runs; empty = this process's folder.
  std::string folder;
  // Over this process's environment; none = the variable is taken out.
  std::map<std::string, std::optional<std::string>> variables;
  // A file for its standard output and error; empty = this process's.
  std::string log;
  // Its standard input and output are pipes to this process: input() and output().
  bool pipes = false;
  // It leads a process group of its own, so that Ctrl-C reaches this process alone; the destructor
  // then ends the whole group.
  bool own_group = false;
  // Files cannot grow beyond it, as on a full disk.
  std::optional<int64_t> largest_file;
};

// Not thread-safe; several may live in one process.  The child is killed when the thread that
// started it ends, so that it does not outlive a killed parent.
class Subprocess {
 public:
  // ErrnoStatus where no process can be made.  A program that cannot be run ends with 127, a folder
  // or log that cannot be opened with 126.
  static absl::StatusOr<std::unique_ptr<Subprocess>> Start(const SubprocessOptions& options);
  // Kills it where it still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }
  // With `pipes`: where its input is written to and its output read from; else -1.
  int input() const { return input_; }
  int output() const { return output_; }
  void CloseInput();

  // To the group with `own_group`.
  void Signal(int signal);
  bool Ended();
  // Whether it has ended within `patience`, asked every 2 ms.
  bool WaitFor(absl::Duration patience);
  // Waits for its end: the exit code, or minus the signal that ended it.
  int Wait();

 private:
  explicit Subprocess(const SubprocessOptions& options) : own_group_(options.own_group) {}

  const bool own_group_;
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace op3d

#endif  // OP3D_BASE_IO_SUBPROCESS_H_
