#include "op3d/base/program/run_folder.h"

#include <fcntl.h>
#include <google/protobuf/util/message_differencer.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d {
namespace {

namespace fs = std::filesystem;

using google::protobuf::Message;

constexpr char kSettings[] = "settings.textproto";
constexpr char kLock[] = "lock";
constexpr char kResumed[] = "resumed";
constexpr char kLog[] = "log.jsonl";
// The files that a run writes before it trains: its plan and the held-out videos of its search.
constexpr const char* kBeforeTraining[] = {kSettings, kResumed, "plan.textproto",
                                           "search_held_out.tsv"};

absl::Status CheckSame(const std::string& path, const Message& there, const Message& wanted) {
  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(there, wanted)) return absl::OkStatus();
  const std::vector<std::string> lines = absl::StrSplit(differences, '\n', absl::SkipEmpty());
  return absl::FailedPreconditionError(
      absl::StrCat(path, " holds a run with other settings (", lines[0],
                   lines.size() > 1 ? absl::StrCat(", and ", lines.size() - 1, " more") : "",
                   "); choose another --output_dir, or start with the settings it has"));
}

// Whether the run in the folder ended before it trained: it has no files from training.  Empty
// folders do not count.
bool HasTrainedNothing(const std::string& path) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory(error)) continue;
    const std::string name = it->path().lexically_relative(path).string();
    const bool known = name == kLock || name == kLog ||
                       std::find(std::begin(kBeforeTraining), std::end(kBeforeTraining), name) !=
                           std::end(kBeforeTraining);
    if (!known) return false;
  }
  return !error;
}

// A folder without a run must be empty, or must not exist.
absl::Status CheckEmpty(const std::string& path) {
  if (!FolderExists(path)) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(path));
  for (const std::string& name : names) {
    // A run that was killed while writing its settings, before anything else.
    const bool unfinished =
        absl::StartsWith(name, absl::StrCat(kSettings, ".")) && absl::EndsWith(name, ".tmp");
    if (name == kLock || unfinished) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not empty and holds no run (it has ", name,
                     "); choose a new or an empty folder for --output_dir"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "cannot open", path);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const int error = errno;
  ::close(fd);
  if (error != EWOULDBLOCK) return ErrnoStatus(error, "cannot lock", path);
  return absl::FailedPreconditionError(
      absl::StrCat(path,
                   " is locked: another process works in this folder; wait for it, or choose "
                   "another --output_dir"));
}

}  // namespace

absl::Status RunFolder::Check(const std::string& path, const Message& settings) {
  const std::string settings_path = JoinPath(path, kSettings);
  if (!FileExists(settings_path)) return CheckEmpty(path);
  const std::unique_ptr<Message> there(settings.New());
  absl::Status same = ReadTextproto(settings_path, there.get());
  if (same.ok()) same = CheckSame(path, *there, settings);
  return same.ok() || HasTrainedNothing(path) ? absl::OkStatus() : same;
}

absl::StatusOr<std::unique_ptr<RunFolder>> RunFolder::Open(const std::string& path,
                                                           const Message& settings) {
  const std::string settings_path = JoinPath(path, kSettings);
  bool taken_up = FileExists(settings_path);
  if (!taken_up) OP3D_RETURN_IF_ERROR(CheckEmpty(path));
  OP3D_RETURN_IF_ERROR(MakeFolders(path));
  std::unique_ptr<RunFolder> folder(new RunFolder(path));
  OP3D_ASSIGN_OR_RETURN(folder->lock_, Lock(JoinPath(path, kLock)));
  if (taken_up) {
    const std::unique_ptr<Message> there(settings.New());
    absl::Status same = ReadTextproto(settings_path, there.get());
    if (same.ok()) same = CheckSame(path, *there, settings);
    if (!same.ok() && HasTrainedNothing(path)) {
      for (const char* name : kBeforeTraining) {
        OP3D_RETURN_IF_ERROR(RemoveFile(JoinPath(path, name)));
      }
      taken_up = false;
    } else {
      OP3D_RETURN_IF_ERROR(same);
    }
  }
  if (taken_up) {
    const std::string resumed_path = JoinPath(path, kResumed);
    if (FileExists(resumed_path)) {
      OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(resumed_path));
      if (!absl::SimpleAtoi(text, &folder->resumed_)) folder->resumed_ = 0;
    }
    ++folder->resumed_;
    OP3D_RETURN_IF_ERROR(WriteFileAtomically(resumed_path, absl::StrCat(folder->resumed_, "\n")));
  } else {
    OP3D_RETURN_IF_ERROR(WriteTextproto(settings_path, settings));
  }
  return folder;
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

std::string RunFolder::Path(absl::string_view name) const { return JoinPath(path_, name); }

void RunFolder::Log(absl::string_view event, nlohmann::json fields) {
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::LocalTimeZone());
  line["event"] = std::string(event);
  for (const auto& [key, value] : fields.items()) line[key] = value;
  absl::MutexLock lock(&mutex_);
  if (log_ == nullptr) log_ = AppendFile::Open(Path(kLog)).value_or(nullptr);
  // Names of files need not be UTF-8.
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (log_ != nullptr) log_->Append(absl::StrCat(text, "\n")).IgnoreError();
}

}  // namespace op3d
