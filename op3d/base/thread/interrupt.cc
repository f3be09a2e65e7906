#include "op3d/base/thread/interrupt.h"

#include <signal.h>

#include <atomic>
#include <csignal>

namespace op3d {
namespace {

std::atomic<int> received{0};

void OnSignal(int signal) {
  received.store(signal);
  std::signal(signal, SIG_DFL);  // the next one ends the process
}

}  // namespace

void InstallInterruptHandler() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

absl::Status CheckInterrupt() {
  switch (received.load(std::memory_order_relaxed)) {
    case 0:
      return absl::OkStatus();
    case SIGTERM:
      return absl::CancelledError("stopped by SIGTERM");
    default:
      return absl::CancelledError("stopped by SIGINT");
  }
}

int InterruptSignal() {
  const int signal = received.load();
  return signal == 0 ? SIGINT : signal;
}

void IgnoreBrokenPipes() {
  static const bool done = [] {
    struct sigaction now = {};
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      std::signal(SIGPIPE, SIG_IGN);
    }
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace op3d
