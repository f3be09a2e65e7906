#include "op3d/base/progress.h"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace op3d {
namespace {

bool OnTerminal() {
  static const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return terminal;
}

std::atomic<bool> silent{false};

absl::Duration Interval() { return OnTerminal() ? absl::Milliseconds(100) : absl::Seconds(10); }

}  // namespace

std::string FormatSeconds(double seconds) {
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
  if (whole < 48 * 3600) return absl::StrFormat("%d h %d min", whole / 3600, whole % 3600 / 60);
  return absl::StrFormat("%d days", (whole + 43200) / 86400);
}

std::string ProgressLine(absl::string_view task, int64_t done, int64_t earlier, int64_t total,
                         absl::string_view unit, double seconds, absl::string_view note) {
  constexpr int kWidth = 20;
  const double rate = seconds > 0 ? static_cast<double>(done - earlier) / seconds : 0;
  std::string line = std::string(task);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(share * kWidth);
    absl::StrAppendFormat(&line, "  [%s%s]  %2.0f %%  %d/%d %s", std::string(filled, '#'),
                          std::string(kWidth - filled, '.'), 100 * share, done, total, unit);
  } else {
    absl::StrAppendFormat(&line, "  %d %s", done, unit);
  }
  absl::StrAppendFormat(&line, "  %.*f/s", rate < 10 ? 1 : 0, rate);
  if (total > done && rate > 0) {
    absl::StrAppend(&line, "  ", FormatSeconds(static_cast<double>(total - done) / rate), " left");
  }
  if (!note.empty()) absl::StrAppend(&line, "  ", note);
  return line;
}

Progress::Progress(absl::string_view task, int64_t total, absl::string_view unit)
    : task_(task), unit_(unit), start_(absl::Now()), total_(total), next_(start_ + Interval()) {}

Progress::~Progress() {
  absl::MutexLock lock(&mutex_);
  Draw(/*last=*/true);
}

void Progress::Add(int64_t count) {
  absl::MutexLock lock(&mutex_);
  done_ += count;
  Draw(/*last=*/false);
}

void Progress::AddEarlier(int64_t count) {
  absl::MutexLock lock(&mutex_);
  done_ += count;
  earlier_ += count;
}

void Progress::SetTotal(int64_t total) {
  absl::MutexLock lock(&mutex_);
  total_ = total;
}

void Progress::Note(absl::string_view note) {
  absl::MutexLock lock(&mutex_);
  note_ = std::string(note);
}

void Progress::Silence() { silent = true; }

void Progress::Print(absl::string_view line) {
  if (silent) return;
  std::fputs(absl::StrCat(OnTerminal() ? "\r\033[K" : "", line, "\n").c_str(), stderr);
}

void Progress::ClearLine() {
  if (OnTerminal()) std::fputs("\r\033[K", stderr);
}

void Progress::Draw(bool last) {
  const absl::Time now = absl::Now();
  if (silent || (!last && now < next_)) return;
  next_ = now + Interval();
  const double seconds = absl::ToDoubleSeconds(now - start_);
  std::string line = ProgressLine(task_, done_, earlier_, total_, unit_, seconds, note_);
  if (last) absl::StrAppend(&line, "  in ", FormatSeconds(seconds));
  if (OnTerminal()) {
    std::fputs(absl::StrCat("\r\033[K", line, last ? "\n" : "").c_str(), stderr);
  } else {
    std::fputs(absl::StrCat(line, "\n").c_str(), stderr);
  }
}

}  // namespace op3d
