// What a search has done, line by line on disk, so that it survives being killed at any moment.
//
//   OP3D_ASSIGN_OR_RETURN(auto journal, Journal::Open("run/journal.jsonl", header));
//   for (const JournalEntry& entry : journal->entries()) Use(entry);
//   OP3D_RETURN_IF_ERROR(journal->Append(next));       // on disk when it returns
//
// A line is a JSON object, a JournalEntry in protobuf's JSON form, with one more member at its end:
//   {"point":{"edge":"S0-S1","point":{"epoch":1,...}},"crc32":"5f3a9c01"}
// the CRC-32 of the bytes before `,"crc32"`.  The first line is the header: everything that decides
// what the search finds.
#ifndef OP3D_PLANNER_SEARCH_JOURNAL_H_
#define OP3D_PLANNER_SEARCH_JOURNAL_H_

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/append_file.h"
#include "planner/search/journal.pb.h"

namespace op3d {

// The journal's name inside a search's folder.
inline constexpr char kJournalFile[] = "journal.jsonl";

// Not thread-safe.
class Journal {
 public:
  // Opens the journal, or begins one whose first line is `header`; holds it until destroyed.
  //
  // What a kill or a power cut leaves - a last line that is torn or damaged - is cut off.
  // FailedPrecondition when the header differs: names the first difference.
  // Unavailable when another process holds it: names its pid.
  // DataLoss for any other damaged line: names the line.
  // ResourceExhausted, PermissionDenied, ... as op3d/base/file.h.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& path,
                                                       const JournalHeader& header);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // What was there when it was opened, without the header.  Entry i is line i + 2.
  const std::vector<JournalEntry>& entries() const { return entries_; }

  // Writes a line and waits until it is on disk.  On an error the journal holds what it held
  // before, and takes no more lines.
  absl::Status Append(const JournalEntry& entry);

 private:
  Journal(const std::string& path, int lock, std::unique_ptr<AppendFile> file);
  // Reads the file, cuts off a torn line, compares or writes the header.
  absl::Status Begin(const JournalHeader& header);

  const std::string path_;
  const int lock_;
  const std::unique_ptr<AppendFile> file_;
  absl::Status status_;
  std::vector<JournalEntry> entries_;
};

struct JournalContent {
  JournalHeader header;
  // Entry i is line i + 2.
  std::vector<JournalEntry> entries;
  // Bytes of whole lines; what comes after them is a torn line.
  int64_t size = 0;
};

// Reads a journal without holding or changing it: another process may be writing.  NotFound,
// DataLoss as above; FailedPrecondition when there is no whole line yet.
absl::StatusOr<JournalContent> ReadJournal(const std::string& path);

// The first difference between two messages of one type, "modified: rule.max_epochs: 3 -> 4"; "" if
// they are equal.
std::string FirstDifference(const google::protobuf::Message& there,
                            const google::protobuf::Message& here);

// A line, its newline included.
absl::StatusOr<std::string> EncodeJournalLine(const JournalEntry& entry);
// Without the newline.  DataLoss says what is wrong.
absl::StatusOr<JournalEntry> DecodeJournalLine(absl::string_view line);

}  // namespace op3d

#endif  // OP3D_PLANNER_SEARCH_JOURNAL_H_
