#include "op3d/base/io/csv.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace op3d {
namespace {

// Reads the fields of `text` one after another; the position never moves back.
class CsvReader {
 public:
  CsvReader(absl::string_view text, absl::string_view source) : text_(text), source_(source) {}

  absl::StatusOr<std::vector<CsvRow>> Read() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row;
      row.line = line_;
      // Most rows have as many fields as the one before.
      if (!rows.empty()) row.fields.reserve(rows.back().fields.size());
      if (absl::Status status = ReadRow(&row); !status.ok()) return status;
      if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool AtLineEnd() const {
    return at_ >= text_.size() || text_[at_] == '\n' ||
           (text_[at_] == '\r' && (at_ + 1 >= text_.size() || text_[at_ + 1] == '\n'));
  }

  absl::Status ReadRow(CsvRow* row) {
    for (;;) {
      std::string field;
      if (at_ < text_.size() && text_[at_] == '"') {
        if (absl::Status status = ReadQuoted(&field); !status.ok()) return status;
      } else {
        const size_t start = at_;
        while (!AtLineEnd() && text_[at_] != ',') ++at_;
        field.assign(text_.data() + start, at_ - start);
      }
      row->fields.push_back(std::move(field));
      if (AtLineEnd()) break;
      ++at_;  // the comma
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size()) ++at_;
    ++line_;
    return absl::OkStatus();
  }

  absl::Status ReadQuoted(std::string* field) {
    const int64_t first_line = line_;
    ++at_;
    for (;; ++at_) {
      if (at_ >= text_.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat(source_, ":", first_line, ": a quoted field that starts here (\"",
                         field->substr(0, 40), "...) is never closed"));
      }
      if (text_[at_] == '"') {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != '"') break;
      }
      if (text_[at_] == '\n') ++line_;
      *field += text_[at_];
    }
    if (AtLineEnd() || text_[at_] == ',') return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        source_, ":", line_, ": '", text_.substr(at_, 1), "' after the closing quote of \"",
        field->substr(0, 40), "\"; expected a comma or the end of the line"));
  }

  const absl::string_view text_;
  const absl::string_view source_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

absl::StatusOr<std::vector<CsvRow>> ParseCsv(absl::string_view text, absl::string_view source) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");  // the byte order mark
  return CsvReader(text, source).Read();
}

std::string CsvField(absl::string_view text, absl::string_view quoted_too) {
  const std::string quoted = absl::StrCat(",\"\r\n", quoted_too);
  if (text.find_first_of(quoted) == absl::string_view::npos) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace op3d
