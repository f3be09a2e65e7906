#include "planner/search/journal.h"

#include <fcntl.h>
#include <google/protobuf/util/message_differencer.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/file.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/status_macros.h"

namespace op3d::planner {
namespace {


constexpr char kCrcMember[] = ",\"crc32\":\"";
constexpr char kLineEnd[] = "\"}";
constexpr size_t kCrcDigits = 8;

std::string FormatCrc(absl::string_view bytes) { return absl::StrFormat("%08x", Crc32(bytes)); }

// Locks `path`.lock, which remains when the process ends: the lock is the kernel's, the file says
// who has it.
absl::StatusOr<int> Lock(const std::string& path) {
  const std::string lock_path = absl::StrCat(path, ".lock");
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return ErrnoStatus(errno, "cannot create", lock_path);
  absl::Cleanup close_lock = [lock] { ::close(lock); };
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "cannot lock", lock_path);
    std::string holder = ReadFile(lock_path).value_or("");
    absl::StripAsciiWhitespace(&holder);
    return absl::UnavailableError(
        absl::StrCat("the search in ", path, " is locked by ",
                     holder.empty() ? "another process" : absl::StrCat("process ", holder),
                     "; wait for it to end, or end it"));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, pid.data(), pid.size(), 0) < 0) {
    return ErrnoStatus(errno, "cannot write", lock_path);
  }
  std::move(close_lock).Cancel();
  return lock;
}

absl::Status CompareHeaders(const JournalHeader& there, const JournalHeader& here,
                            const std::string& path) {
  const std::string difference = FirstDifference(there, here);
  if (difference.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, " holds a search with other settings (there -> here): ", difference,
                   ". Search in another folder, or with the settings of this one"));
}

// Splits `text` into lines; shared by ReadJournal() and Journal::Open().
absl::StatusOr<JournalContent> ParseJournal(absl::string_view text, const std::string& path) {
  JournalContent content;
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == absl::string_view::npos) break;  // torn
    ++number;
    absl::StatusOr<JournalEntry> entry = DecodeJournalLine(text.substr(begin, end - begin));
    if (entry.ok() && entry->has_header() != (number == 1)) {
      entry = absl::DataLossError(number == 1 ? "it is not a header" : "a second header");
    }
    if (!entry.ok()) {
      if (end + 1 == text.size()) break;  // torn too: the disk wrote its end first
      return absl::DataLossError(
          absl::StrCat(path, ": line ", number, " is damaged: ", entry.status().message(),
                       ". Lines before it are whole: cut the file there to resume from that "
                       "point"));
    }
    if (number == 1) {
      content.header = std::move(*entry->mutable_header());
    } else {
      content.entries.push_back(*std::move(entry));
    }
    content.size = static_cast<int64_t>(end + 1);
    begin = end + 1;
  }
  return content;
}

}  // namespace

std::string FirstDifference(const google::protobuf::Message& there,
                            const google::protobuf::Message& here) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string report;
  differencer.ReportDifferencesToString(&report);
  if (differencer.Compare(there, here)) return "";
  const std::pair<std::string, std::string> first =
      absl::StrSplit(report, absl::MaxSplits('\n', 1));
  return first.first;
}

absl::StatusOr<std::string> EncodeJournalLine(const JournalEntry& entry) {
  // An epoch of 0 is written, not left out.
  absl::StatusOr<std::string> printed = PrintProtoJson(entry);
  if (!printed.ok()) {
    return absl::InternalError(absl::StrCat("a journal's line cannot be written as JSON: ",
                                            printed.status().message()));
  }
  std::string line = *std::move(printed);
  line.pop_back();  // the closing brace
  absl::StrAppend(&line, kCrcMember, FormatCrc(line), kLineEnd, "\n");
  return line;
}

absl::StatusOr<JournalEntry> DecodeJournalLine(absl::string_view line) {
  const size_t tail = sizeof(kCrcMember) - 1 + kCrcDigits + sizeof(kLineEnd) - 1;
  if (line.size() < tail) return absl::DataLossError("it is too short");
  const absl::string_view body = line.substr(0, line.size() - tail);
  if (line.substr(body.size()) != absl::StrCat(kCrcMember, FormatCrc(body), kLineEnd)) {
    return absl::DataLossError("its crc32 does not fit");
  }
  JournalEntry entry;
  const absl::Status status =
      ParseProtoJson(absl::StrCat(body, "}"), /*ignore_unknown=*/false, &entry);
  if (!status.ok()) return absl::DataLossError(status.message());
  if (entry.entry_case() == JournalEntry::ENTRY_NOT_SET) return absl::DataLossError("it is empty");
  return entry;
}

absl::StatusOr<JournalContent> ReadJournal(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  OP3D_ASSIGN_OR_RETURN(JournalContent content, ParseJournal(text, path));
  if (content.size > 0) return content;
  return absl::FailedPreconditionError(absl::StrCat(path, " holds no whole line yet"));
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& path,
                                                       const JournalHeader& header) {
  OP3D_ASSIGN_OR_RETURN(const int lock, Lock(path));
  absl::StatusOr<std::unique_ptr<AppendFile>> file = AppendFile::Open(path);
  if (!file.ok()) {
    ::close(lock);
    return file.status();
  }
  std::unique_ptr<Journal> journal(new Journal(path, lock, *std::move(file)));
  OP3D_RETURN_IF_ERROR(journal->Begin(header));
  return journal;
}

Journal::Journal(const std::string& path, int lock, std::unique_ptr<AppendFile> file)
    : path_(path), lock_(lock), file_(std::move(file)) {}

Journal::~Journal() { ::close(lock_); }

absl::Status Journal::Begin(const JournalHeader& header) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path_));
  OP3D_ASSIGN_OR_RETURN(JournalContent content, ParseJournal(text, path_));
  if (content.size > 0) OP3D_RETURN_IF_ERROR(CompareHeaders(content.header, header, path_));
  entries_ = std::move(content.entries);
  OP3D_RETURN_IF_ERROR(file_->CutTo(content.size));
  if (content.size > 0) return absl::OkStatus();
  JournalEntry first;
  *first.mutable_header() = header;
  return Append(first);
}

absl::Status Journal::Append(const JournalEntry& entry) {
  OP3D_RETURN_IF_ERROR(status_);
  OP3D_ASSIGN_OR_RETURN(const std::string line, EncodeJournalLine(entry));
  const int64_t before = file_->size();
  status_ = file_->Append(line);
  if (status_.ok()) status_ = file_->Sync();
  // If this fails too, the incomplete line is removed when the journal is opened next.
  if (!status_.ok()) file_->CutTo(before).IgnoreError();
  return status_;
}

}  // namespace op3d::planner
