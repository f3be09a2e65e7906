// Comma-separated values by RFC 4180, and the variants that occur: LF or CRLF, a leading byte order
// mark, quoted fields that contain commas, quotes ("") and line ends.
//
//   OP3D_ASSIGN_OR_RETURN(std::vector<CsvRow> rows, ParseCsv(text, "val.csv"));
//   Use(rows[0].fields[1]);
#ifndef OP3D_BASE_IO_CSV_H_
#define OP3D_BASE_IO_CSV_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d {

struct CsvRow {
  // Where the row starts, from 1.
  int64_t line = 0;
  std::vector<std::string> fields;
};

// All rows except the empty lines.  Rows may have different numbers of fields.  InvalidArgument,
// "`source`:line: ...", for a quote that is never closed or text after a closing quote.
absl::StatusOr<std::vector<CsvRow>> ParseCsv(absl::string_view text, absl::string_view source);

// A field as it is written: in quotes if it contains a comma, a quote, a line break or one of the
// characters of `quoted_too`.
std::string CsvField(absl::string_view text, absl::string_view quoted_too = "");

}  // namespace op3d

#endif  // OP3D_BASE_IO_CSV_H_
