#include "benchmarks/speed/speed_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "op3d/base/file.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/status_macros.h"

namespace op3d::benchmarks {
namespace {

void Summarize(SpeedSpread* spread) {
  std::vector<double> sorted(spread->values().begin(), spread->values().end());
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  spread->set_median(sorted.size() % 2 == 1 ? sorted[middle]
                                            : (sorted[middle - 1] + sorted[middle]) / 2);
  spread->set_least(sorted.front());
  spread->set_most(sorted.back());
}

absl::Status CheckRow(SpeedRow* row) {
  const std::string what = absl::StrCat("row ", row->part(), " ", row->name());
  if (row->part().empty() || row->name().empty()) {
    return absl::InvalidArgumentError("a row without a part or a name");
  }
  OP3D_RETURN_IF_ERROR(CheckSpread(absl::StrCat(what, ", ms"), 0, row->mutable_ms()));
  if (row->has_ratio()) {
    OP3D_RETURN_IF_ERROR(CheckSpread(absl::StrCat(what, ", ratio"), 0, row->mutable_ratio()));
  }
  for (auto& [name, counter] : *row->mutable_counters()) {
    OP3D_RETURN_IF_ERROR(CheckSpread(absl::StrCat(what, ", ", name),
                                     std::numeric_limits<double>::lowest(), &counter));
  }
  return absl::OkStatus();
}

absl::Status CheckReport(SpeedReport* report) {
  if (report->format() != kSpeedReportFormat) {
    return absl::InvalidArgumentError(absl::StrCat("its format is '", report->format(), "', not '",
                                                   kSpeedReportFormat,
                                                   "'; give a file that //benchmarks:speed wrote"));
  }
  if (report->version() < 1 || report->version() > kSpeedReportVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("its version is ", report->version(), "; this program reads 1 to ",
                     kSpeedReportVersion, "; use the program that wrote it, or a newer one"));
  }
  for (SpeedYardstick& yardstick : *report->mutable_yardsticks()) {
    OP3D_RETURN_IF_ERROR(
        CheckSpread(absl::StrCat("yardstick ", yardstick.name()), 0, yardstick.mutable_ms()));
  }
  for (const SpeedPart& part : report->parts()) {
    if (!SpeedPart::State_IsValid(part.state())) {
      return absl::InvalidArgumentError(
          absl::StrCat("part ", part.name(), ": there is no state ", part.state()));
    }
  }
  std::set<std::pair<std::string, std::string>> names;
  for (SpeedRow& row : *report->mutable_rows()) {
    OP3D_RETURN_IF_ERROR(CheckRow(&row));
    if (!names.emplace(row.part(), row.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("row ", row.part(), " ", row.name(), " is there twice"));
    }
  }
  return absl::OkStatus();
}

std::string Range(const SpeedSpread& spread, const std::string& median, const std::string& least,
                  const std::string& most) {
  return spread.values_size() < 2 ? median : absl::StrCat(median, "  (", least, " - ", most, ")");
}

std::string DescribeMs(const SpeedSpread& ms) {
  return Range(ms, FormatMilliseconds(ms.median()), FormatMilliseconds(ms.least()),
               FormatMilliseconds(ms.most()));
}

std::string DescribeRatio(const SpeedSpread& ratio) {
  const auto format = [](double value) { return absl::StrFormat("%.3g", value); };
  return Range(ratio, format(ratio.median()), format(ratio.least()), format(ratio.most()));
}

}  // namespace

void AddSpeedValue(double value, SpeedSpread* spread) {
  spread->add_values(value);
  Summarize(spread);
}

absl::Status CheckSpread(absl::string_view what, double above, SpeedSpread* spread) {
  if (spread->values().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": there are no values"));
  }
  for (const double value : spread->values()) {
    if (!std::isfinite(value) || value <= above) {
      return absl::InvalidArgumentError(absl::StrCat(
          what, ": a value is ", value, "; it must be finite", above == 0 ? " and above 0" : ""));
    }
  }
  Summarize(spread);
  return absl::OkStatus();
}

SpeedRow* FindOrAddRow(absl::string_view part, absl::string_view name, SpeedReport* report) {
  for (SpeedRow& row : *report->mutable_rows()) {
    if (row.part() == part && row.name() == name) return &row;
  }
  SpeedRow* const row = report->add_rows();
  row->set_part(std::string(part));
  row->set_name(std::string(name));
  return row;
}

absl::Status WriteSpeedReport(const SpeedReport& report, const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const std::string line, PrintProtoJson(report));
  return WriteFileAtomically(path, nlohmann::ordered_json::parse(line).dump(1) + "\n");
}

absl::StatusOr<SpeedReport> ReadSpeedReport(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  SpeedReport report;
  absl::Status status = ParseProtoJson(text, /*ignore_unknown=*/true, &report);
  if (status.ok()) status = CheckReport(&report);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a report of speeds: ", status.message()));
  }
  return report;
}

std::string FormatMilliseconds(double ms) {
  if (ms >= 1000) return absl::StrFormat("%.3g s", ms / 1000);
  if (ms >= 1) return absl::StrFormat("%.3g ms", ms);
  if (ms >= 1e-3) return absl::StrFormat("%.3g us", ms * 1e3);
  return absl::StrFormat("%.3g ns", ms * 1e6);
}

std::string DescribeSpeedReport(const SpeedReport& report) {
  std::string text = absl::StrFormat(
      "%s, %d cores, load %.2f before and %.2f after; %s, %d turn%s%s\n",
      report.environment().cpu(), report.environment().cores(), report.machine().load_before(),
      report.machine().load_after(), report.mode(), report.turns(), report.turns() == 1 ? "" : "s",
      report.complete() ? "" : ", not complete");
  for (const SpeedYardstick& yardstick : report.yardsticks()) {
    absl::StrAppend(&text, "yardstick ", yardstick.name(), ": ", DescribeMs(yardstick.ms()), "  ",
                    yardstick.what(), "\n");
  }
  for (const SpeedPart& part : report.parts()) {
    absl::StrAppend(&text, "\n", part.name());
    if (part.state() != SpeedPart::DONE) {
      static const char* const kWords[] = {"", "FAILED", "MISSING", "left out"};
      absl::StrAppend(&text, "  ", kWords[part.state()], ": ", part.message());
    }
    absl::StrAppend(&text, "\n");
    for (const SpeedRow& row : report.rows()) {
      if (row.part() != part.name()) continue;
      absl::StrAppendFormat(&text, "  %-52s %-4s %-34s", row.name(), row.clock(),
                            DescribeMs(row.ms()));
      if (row.has_ratio()) {
        absl::StrAppend(&text, " ", DescribeRatio(row.ratio()), " of ", row.yardstick());
      }
      absl::StrAppend(&text, "\n");
    }
    for (const std::string& note : part.notes()) absl::StrAppend(&text, "  note: ", note, "\n");
  }
  return text;
}

}  // namespace op3d::benchmarks
