// The report of //benchmarks:speed: figures over turns, its JSON, its text.
//
//   SpeedReport report;
//   AddSpeedValue(12.5, report.add_rows()->mutable_ms());
//   OP3D_RETURN_IF_ERROR(WriteSpeedReport(report, "speed.json"));
//   OP3D_ASSIGN_OR_RETURN(report, ReadSpeedReport("speed.json"));
#ifndef OP3D_BENCHMARKS_SPEED_SPEED_REPORT_H_
#define OP3D_BENCHMARKS_SPEED_SPEED_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmarks/speed/speed_report.pb.h"

namespace op3d::benchmarks {

inline constexpr char kSpeedReportFormat[] = "op3d_speed";
inline constexpr int kSpeedReportVersion = 1;
// SpeedRow.yardstick where op3d's own row of the same work is the yardstick.
inline constexpr char kOwnYardstick[] = "op3d";

// Adds a value and computes median, least and most again.
void AddSpeedValue(double value, SpeedSpread* spread);

// The same of `values` alone, for a spread that was read.  InvalidArgument, naming `what`, for a
// value that is not finite or not above `above`.
absl::Status CheckSpread(absl::string_view what, double above, SpeedSpread* spread);

// The row of that part and name; added if there is none.
SpeedRow* FindOrAddRow(absl::string_view part, absl::string_view name, SpeedReport* report);

// Indented JSON; the file holds all of it or is untouched.
absl::Status WriteSpeedReport(const SpeedReport& report, const std::string& path);

// Fields that this version does not know are ignored.  NotFound without the file; InvalidArgument,
// naming the file, for anything else than a report: other JSON, a truncated file, a newer version,
// a row twice or without a value, a value that cannot be.
absl::StatusOr<SpeedReport> ReadSpeedReport(const std::string& path);

// A table of all rows by part, with the yardsticks and what failed, for people.
std::string DescribeSpeedReport(const SpeedReport& report);

// "12.3 ms", "45.1 us", "1.20 s", from milliseconds.
std::string FormatMilliseconds(double ms);

}  // namespace op3d::benchmarks

#endif  // OP3D_BENCHMARKS_SPEED_SPEED_REPORT_H_
