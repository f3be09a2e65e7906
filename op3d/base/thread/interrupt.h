// SIGINT and SIGTERM as a status that long work checks between two steps.
//
//   InstallInterruptHandler();                       // once, in main()
//   for (...) { OP3D_RETURN_IF_ERROR(CheckInterrupt()); TakeStep(); }
//
// The first signal requests an orderly end; a second one of the same kind ends the process
// immediately.  Thread-safe.
//
//   IgnoreBrokenPipes();   // before this process writes to another one that may die
#ifndef OP3D_BASE_THREAD_INTERRUPT_H_
#define OP3D_BASE_THREAD_INTERRUPT_H_

#include "absl/status/status.h"

namespace op3d {

void InstallInterruptHandler();

// Cancelled ("stopped by SIGINT") once a signal has come, OK before.
absl::Status CheckInterrupt();

// The signal's number; SIGINT if none has come.
int InterruptSignal();

// From now on, writing to a pipe or socket whose reader has ended is an error of that write.  By
// default it is SIGPIPE, which ends the process without a word.  Keeps a handler that somebody else
// has installed.
void IgnoreBrokenPipes();

}  // namespace op3d

#endif  // OP3D_BASE_THREAD_INTERRUPT_H_
