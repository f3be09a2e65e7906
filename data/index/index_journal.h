// What a running scan has found so far, on disk: a killed process loses at most its last
// records.
//
//   OP3D_ASSIGN_OR_RETURN(auto journal, IndexJournal::Open("kinetics400.op3d_index.journal"));
//   Use(journal->earlier());                       // of a process that did not end
//   OP3D_RETURN_IF_ERROR(journal->Append(record));
//   OP3D_RETURN_IF_ERROR(journal->Remove());       // once all of it is in the index
//
// Each record is stored with its length and checksum; from the first damaged record on, the file is
// truncated.  One process at a time locks a journal; the lock ends with the process in any case.
#ifndef OP3D_DATA_INDEX_INDEX_JOURNAL_H_
#define OP3D_DATA_INDEX_INDEX_JOURNAL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "op3d/base/io/append_file.h"

namespace op3d::data {

// Not thread-safe.
class IndexJournal {
 public:
  // Creates the file if it does not exist; waits while another process locks it, with a message on
  // stderr.  NotFound, PermissionDenied: the file cannot be created.  Cancelled: a signal came.
  static absl::StatusOr<std::unique_ptr<IndexJournal>> Open(const std::string& path);
  // Keeps the file.
  ~IndexJournal() = default;
  IndexJournal(const IndexJournal&) = delete;
  IndexJournal& operator=(const IndexJournal&) = delete;

  // The complete records found when it was opened.
  const std::vector<std::string>& earlier() const { return earlier_; }

  // ResourceExhausted on a full disk.
  absl::Status Append(absl::string_view record);

  // Removes the file.  Do not call Append afterwards.
  absl::Status Remove();

 private:
  IndexJournal(std::string path, std::unique_ptr<AppendFile> file);
  absl::Status ReadEarlier();

  const std::string path_;
  const std::unique_ptr<AppendFile> file_;
  std::vector<std::string> earlier_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_INDEX_INDEX_JOURNAL_H_
