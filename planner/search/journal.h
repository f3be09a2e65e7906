// The log of a search, line by line on disk, so that the search survives a kill at any moment.
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
#include "op3d/base/io/append_file.h"
#include "planner/search/journal.pb.h"

namespace op3d::planner {

// The journal's name inside a search's folder.
inline constexpr char kJournalFile[] = "journal.jsonl";

// Not thread-safe.
class Journal {
 public:
  // Opens the journal, or creates one whose first line is `header`; locks it until destroyed.
  //
  // A last line that is incomplete or damaged after a kill or a power cut is removed.
  // FailedPrecondition if the header differs: names the first difference.
  // Unavailable if another process has locked it: names its pid.
  // DataLoss for any other damaged line: names the line.
  // ResourceExhausted, PermissionDenied, ... as in op3d/base/file.h.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& path,
                                                       const JournalHeader& header);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The entries when it was opened, without the header.  Entry i is line i + 2.
  const std::vector<JournalEntry>& entries() const { return entries_; }

  // Writes a line and waits until it is on disk.  After an error the journal is unchanged and
  // accepts no more lines.
  absl::Status Append(const JournalEntry& entry);

 private:
  Journal(const std::string& path, int lock, std::unique_ptr<AppendFile> file);
  // Reads the file, removes an incomplete line, compares or writes the header.
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
  // Bytes of complete lines; what comes after them is an incomplete line.
  int64_t size = 0;
};

// Reads a journal without locking or changing it: another process may be writing.  NotFound,
// DataLoss as above; FailedPrecondition if there is no complete line yet.
absl::StatusOr<JournalContent> ReadJournal(const std::string& path);

// The first difference between two messages of one type, "modified: rule.max_epochs: 3 -> 4"; "" if
// they are equal.
std::string FirstDifference(const google::protobuf::Message& there,
                            const google::protobuf::Message& here);

// A line, including its newline.
absl::StatusOr<std::string> EncodeJournalLine(const JournalEntry& entry);
// `line` has no newline.  DataLoss says what is wrong.
absl::StatusOr<JournalEntry> DecodeJournalLine(absl::string_view line);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_SEARCH_JOURNAL_H_
