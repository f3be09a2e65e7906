#include "planner/curve_csv.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using Fields = std::vector<absl::string_view>;

Fields SplitFields(absl::string_view line) {
  Fields fields = absl::StrSplit(line, ',');
  for (absl::string_view& field : fields) field = absl::StripAsciiWhitespace(field);
  return fields;
}

absl::StatusOr<size_t> FindColumn(const Fields& header, absl::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return static_cast<size_t>(found - header.begin());
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no column \"", name, "\"; the first line must be as: epoch,performance"));
}

absl::StatusOr<double> ParseNumber(const Fields& fields, size_t column, absl::string_view name) {
  double number = 0;
  if (column < fields.size() && absl::SimpleAtod(fields[column], &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("the ", name, " is \"",
                                                 column < fields.size() ? fields[column] : "",
                                                 "\", which is no number"));
}

struct Columns {
  size_t epoch = 0, performance = 0;
};

absl::StatusOr<Columns> ParseHeader(absl::string_view line) {
  absl::ConsumePrefix(&line, "\xef\xbb\xbf");  // spreadsheets begin with it
  const Fields fields = SplitFields(line);
  Columns columns;
  OP3D_ASSIGN_OR_RETURN(columns.epoch, FindColumn(fields, "epoch"));
  OP3D_ASSIGN_OR_RETURN(columns.performance, FindColumn(fields, "performance"));
  return columns;
}

absl::Status ParseRow(const Fields& fields, const Columns& columns, std::vector<double>* curve) {
  OP3D_ASSIGN_OR_RETURN(const double epoch, ParseNumber(fields, columns.epoch, "epoch"));
  OP3D_ASSIGN_OR_RETURN(const double performance,
                        ParseNumber(fields, columns.performance, "performance"));
  if (epoch != static_cast<double>(curve->size())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "epoch ", epoch, " where epoch ", curve->size(),
        " is due: epochs begin at 0, the score before training, and none is left out"));
  }
  if (!std::isfinite(performance)) {
    return absl::InvalidArgumentError(absl::StrCat("the performance of epoch ", epoch, " is ",
                                                   performance,
                                                   "; a curve is fitted to finite numbers only"));
  }
  curve->push_back(performance);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<double>> ParseCurveCsv(absl::string_view text, absl::string_view source,
                                                  std::vector<std::string>* warnings) {
  std::vector<double> curve;
  absl::StatusOr<Columns> columns = absl::UnknownError("no header yet");
  int number = 0;
  size_t epochs = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    absl::Status status;
    if (absl::IsUnknown(columns.status())) {
      columns = ParseHeader(line);
      status = columns.status();
    } else {
      status = ParseRow(SplitFields(line), *columns, &curve);
    }
    OP3D_RETURN_IF_ERROR(Annotate(status, absl::StrCat(source, ":", number)));
    if (warnings != nullptr && curve.size() > epochs && curve.back() < 0) {
      warnings->push_back(absl::StrCat(source, ":", number, ": the performance of epoch ", epochs,
                                       " is ", curve.back(),
                                       "; a share of right answers is at "
                                       "least 0, so look whether the column is the right one"));
    }
    epochs = curve.size();
  }
  if (!curve.empty()) return curve;
  return absl::InvalidArgumentError(
      absl::StrCat(source, " holds no epoch; it must be as: epoch,performance\\n0,0.01\\n1,0.3"));
}

}  // namespace op3d
