#include "planner/knee/curve_file.h"

#include <cmath>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"

namespace op3d::planner {
namespace {

using Fields = std::vector<absl::string_view>;
using nlohmann::json;

constexpr double kLargestEpoch = 1e15;

// Adds points one after another and checks that they form a curve.
class CurveBuilder {
 public:
  // `line` of the file, for messages.
  absl::Status Add(double epoch, double performance, int line) {
    const char* unit = curve_.steps ? "step" : "epoch";
    if (!(epoch >= 0 && epoch <= kLargestEpoch && epoch == std::floor(epoch))) {
      return absl::InvalidArgumentError(
          absl::StrCat("the ", unit, " is ", epoch, ", but must be a whole number of at least 0"));
    }
    if (!std::isfinite(performance)) {
      return absl::InvalidArgumentError(absl::StrCat("the performance of ", unit, " ", epoch,
                                                     " is ", performance,
                                                     "; a curve is fitted to finite numbers only"));
    }
    const auto at = static_cast<int64_t>(epoch);
    const auto points = static_cast<int64_t>(curve_.performance.size());
    if (points == 0) {
      curve_.first = at;
    } else if (points == 1 && at > curve_.first) {
      curve_.spacing = at - curve_.first;
    } else if (const int64_t due = curve_.first + points * curve_.spacing;
               at != due || points == 1) {
      return Misplaced(at, due);
    }
    last_ = at;
    Warn(epoch, performance, line);
    curve_.performance.push_back(performance);
    return absl::OkStatus();
  }

  CurveFile curve_;
  // Line number and sentence.
  std::vector<std::pair<int, std::string>> warnings_;

 private:
  absl::Status Misplaced(int64_t at, int64_t due) const {
    const char* unit = curve_.steps ? "step" : "epoch";
    if (at <= last_) {
      return absl::InvalidArgumentError(absl::StrCat(
          unit, " ", at, " comes after ", unit, " ", last_, ": ", unit,
          "s must rise; sort the lines, and of a training that was resumed leave each ", unit,
          " in once"));
    }
    return absl::InvalidArgumentError(
        absl::StrCat(unit, " ", at, " where ", unit, " ", due, " is due: ", unit, "s begin at ",
                     curve_.first, " and rise by ", curve_.spacing, ", and none may be left out"));
  }

  void Warn(double epoch, double performance, int line) {
    const char* what = performance < 0 ? ", below 0" : performance > 1 ? ", above 1" : nullptr;
    if (what == nullptr || (performance < 0 ? below_ : above_)) return;
    (performance < 0 ? below_ : above_) = true;
    warnings_.emplace_back(
        line, absl::StrCat("the performance of ", curve_.steps ? "step " : "epoch ", epoch, " is ",
                           performance, what,
                           ": it is fitted as it is, but an accuracy is between 0 and 1, so "
                           "check that this is the right column"));
  }

  int64_t last_ = 0;
  bool below_ = false, above_ = false;
};

Fields SplitFields(absl::string_view line) {
  Fields fields = absl::StrSplit(line, ',');
  for (absl::string_view& field : fields) {
    field = absl::StripAsciiWhitespace(field);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = field.substr(1, field.size() - 2);
    }
  }
  return fields;
}

struct Columns {
  size_t epoch = 0, performance = 0;
  bool steps = false;
};

// The column with the first of `names` that exists.
absl::StatusOr<size_t> FindColumn(const Fields& header, std::initializer_list<const char*> names,
                                  absl::string_view line) {
  for (const char* name : names) {
    for (size_t i = 0; i < header.size(); ++i) {
      if (absl::EqualsIgnoreCase(header[i], name)) return i;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no column \"", *names.begin(), "\" in \"", line.substr(0, 100),
      "\"; the first line must be as epoch,performance or as Wall time,Step,Value, with commas "
      "between"));
}

absl::StatusOr<Columns> ParseHeader(absl::string_view line) {
  absl::ConsumePrefix(&line, "\xef\xbb\xbf");  // the byte order mark of spreadsheets
  line = absl::StripAsciiWhitespace(line);
  const Fields fields = SplitFields(line);
  Columns columns;
  OP3D_ASSIGN_OR_RETURN(columns.epoch, FindColumn(fields, {"epoch", "step"}, line));
  OP3D_ASSIGN_OR_RETURN(columns.performance, FindColumn(fields, {"performance", "value"}, line));
  columns.steps = absl::EqualsIgnoreCase(fields[columns.epoch], "step");
  return columns;
}

absl::StatusOr<double> ParseNumber(const Fields& fields, size_t column, absl::string_view name) {
  double number = 0;
  const absl::string_view field = column < fields.size() ? fields[column] : "";
  if (absl::SimpleAtod(field, &number)) return number;
  return absl::InvalidArgumentError(
      absl::StrCat("the ", name, " is \"", field, "\", which is not a number",
                   absl::EndsWith(field, "%") ? "; leave the % out" : ""));
}

absl::Status AddRow(const Fields& fields, const Columns& columns, int line, CurveBuilder* builder) {
  OP3D_ASSIGN_OR_RETURN(const double epoch,
                        ParseNumber(fields, columns.epoch, columns.steps ? "step" : "epoch"));
  OP3D_ASSIGN_OR_RETURN(const double performance,
                        ParseNumber(fields, columns.performance, "performance"));
  return builder->Add(epoch, performance, line);
}

absl::Status ParseTable(absl::string_view text, absl::string_view source, CurveBuilder* builder) {
  std::optional<Columns> columns;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    absl::Status status;
    if (columns) {
      status = AddRow(SplitFields(line), *columns, number, builder);
    } else if (const absl::StatusOr<Columns> header = ParseHeader(line); header.ok()) {
      columns = *header;
      builder->curve_.steps = columns->steps;
    } else {
      status = header.status();
    }
    OP3D_RETURN_IF_ERROR(Annotate(status, absl::StrCat(source, ":", number)));
  }
  return absl::OkStatus();
}

// A point in a line of a log or a journal, and the curve to which it belongs.
struct LoggedPoint {
  std::string curve;
  double epoch = 0, performance = 0;
};

std::optional<LoggedPoint> ReadPoint(const json& line) {
  if (!line.is_object()) return std::nullopt;
  const auto text = [&line](const char* name) {
    if (!line.contains(name)) return std::string();
    return line[name].is_string() ? line[name].get<std::string>() : line[name].dump();
  };
  if (line.contains("point") && line["point"].is_object() && line["point"].contains("point")) {
    std::optional<LoggedPoint> point = ReadPoint(line["point"]["point"]);
    if (point && line["point"].contains("edge") && line["point"]["edge"].is_string()) {
      point->curve = line["point"]["edge"].get<std::string>();
    }
    return point;
  }
  const bool measured = line.contains("epoch") && line["epoch"].is_number() &&
                        line.contains("performance") && line["performance"].is_number();
  if (!measured) return std::nullopt;
  LoggedPoint point;
  point.epoch = line["epoch"].get<double>();
  point.performance = line["performance"].get<double>();
  if (line.contains("edge")) {
    point.curve =
        line.contains("pool") ? absl::StrCat(text("pool"), " ", text("edge")) : text("edge");
  } else {
    point.curve = text("state");
  }
  return point;
}

absl::Status ParseLog(absl::string_view text, absl::string_view source, absl::string_view which,
                      CurveBuilder* builder) {
  // By curve, in the order of the names: line and point.
  std::map<std::string, std::vector<std::pair<int, LoggedPoint>>> curves;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const json parsed = json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_object()) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ":", number, ": no JSON object, as the lines before are"));
    }
    if (auto point = ReadPoint(parsed); point) {
      auto& curve = curves[point->curve];
      // A killed process may have logged an epoch that was then trained again, with an equal
      // result.
      if (!curve.empty() && curve.back().second.epoch == point->epoch) curve.pop_back();
      curve.emplace_back(number, *std::move(point));
    }
  }
  std::vector<std::string> names, fitting;
  for (const auto& [name, points] : curves) {
    names.push_back(name);
    const bool wanted =
        which.empty() || name == which || absl::EndsWith(name, absl::StrCat(" ", which));
    if (wanted) fitting.push_back(name);
  }
  if (curves.empty()) return absl::OkStatus();
  if (fitting.size() != 1) {
    const std::string all = absl::StrJoin(fitting.empty() ? names : fitting, ", ");
    if (fitting.empty()) {
      return absl::NotFoundError(
          absl::StrCat(source, " holds no curve \"", which, "\"; there are: ", all));
    }
    return absl::InvalidArgumentError(absl::StrCat(source, " holds ", fitting.size(),
                                                   " curves: ", all, "; say which, as --curve='",
                                                   fitting[0], "'"));
  }
  for (const auto& [line, point] : curves[fitting[0]]) {
    OP3D_RETURN_IF_ERROR(Annotate(builder->Add(point.epoch, point.performance, line),
                                  absl::StrCat(source, ":", line)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CurveFile> ParseCurveFile(absl::string_view text, absl::string_view source,
                                         absl::string_view which,
                                         std::vector<std::string>* warnings) {
  CurveBuilder builder;
  if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{")) {
    OP3D_RETURN_IF_ERROR(ParseLog(text, source, which, &builder));
  } else if (which.empty()) {
    OP3D_RETURN_IF_ERROR(ParseTable(text, source, &builder));
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(source, " is a table with one curve; leave --curve=", which, " out"));
  }
  if (warnings != nullptr) {
    for (const auto& [line, warning] : builder.warnings_) {
      warnings->push_back(absl::StrCat(source, ":", line, ": ", warning));
    }
  }
  if (!builder.curve_.performance.empty()) return std::move(builder.curve_);
  return absl::InvalidArgumentError(
      absl::StrCat(source, " holds no epoch; it must be as: epoch,performance\\n0,0.01\\n1,0.3"));
}

}  // namespace op3d::planner
