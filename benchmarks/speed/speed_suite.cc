#include "benchmarks/speed/speed_suite.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "benchmarks/speed/speed_report.h"
#include "nlohmann/json.hpp"
#include "op3d/base/file.h"
#include "op3d/base/io/subprocess.h"
#include "op3d/base/progress.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::benchmarks {
namespace {

using Json = nlohmann::ordered_json;

// Google Benchmark's own keys of a row; the other numbers are counters.
bool IsOwnKey(absl::string_view key) {
  static const std::set<absl::string_view> keys = {"family_index", "per_family_instance_index",
                                                   "repetitions",  "repetition_index",
                                                   "threads",      "iterations",
                                                   "real_time",    "cpu_time"};
  return keys.count(key) > 0;
}

// The versions that the program added to its context.
void AddLibraries(const Json& context, SpeedReport* report) {
  static const std::set<std::string> own = {"date",
                                            "host_name",
                                            "executable",
                                            "num_cpus",
                                            "caches",
                                            "mhz_per_cpu",
                                            "load_avg",
                                            "json_schema_version",
                                            "library_build_type",
                                            "cpu_scaling_enabled"};
  for (const auto& [key, value] : context.items()) {
    if (own.count(key) == 0 && value.is_string()) {
      (*report->mutable_libraries())[key] = value.get<std::string>();
    }
  }
}

// The row's name without what Google Benchmark appends, and its clock.
std::pair<std::string, std::string> NameAndClock(absl::string_view name) {
  std::vector<absl::string_view> kept;
  std::string clock = "cpu";
  for (const absl::string_view word : absl::StrSplit(name, '/')) {
    if (word == "real_time") clock = "wall";
    if (word != "real_time" && word != "manual_time" && !absl::StartsWith(word, "iterations:")) {
      kept.push_back(word);
    }
  }
  return {absl::StrJoin(kept, "/"), clock};
}

absl::Status AddBenchmarkRow(const Json& json, const SpeedWork& part, double yardstick_ms,
                             SpeedReport* report) {
  static const std::map<std::string, double> units = {
      {"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1000}};
  const std::string full_name = json.at("name").get<std::string>();
  if (json.value("error_occurred", false)) {
    return absl::InternalError(
        absl::StrCat(full_name, ": ", json.value("error_message", "it failed")));
  }
  const auto [name, clock] = NameAndClock(full_name);
  const bool cpu_time = clock == "cpu" && !absl::StrContains(full_name, "/manual_time");
  // A nanosecond is the least that the clocks tell.
  const double ms = std::max(1e-6, json.at(cpu_time ? "cpu_time" : "real_time").get<double>() *
                                       units.at(json.at("time_unit").get<std::string>()));
  if (!std::isfinite(ms)) return absl::InternalError(absl::StrCat(full_name, ": its time is ", ms));
  SpeedRow* const row = FindOrAddRow(part.name, name, report);
  row->set_clock(clock);
  AddSpeedValue(ms, row->mutable_ms());
  if (yardstick_ms > 0) {
    row->set_yardstick(part.yardstick);
    AddSpeedValue(ms / yardstick_ms, row->mutable_ratio());
  }
  for (const auto& [key, value] : json.items()) {
    if (!value.is_number() || IsOwnKey(key) || !std::isfinite(value.get<double>())) continue;
    AddSpeedValue(value.get<double>(), &(*row->mutable_counters())[key]);
  }
  return absl::OkStatus();
}

// The log's last lines, for a message.
std::string EndOf(const std::string& log) {
  std::string text(absl::StripAsciiWhitespace(ReadFile(log).value_or("")));
  constexpr size_t kLength = 300;
  if (text.size() > kLength) text = absl::StrCat("...", text.substr(text.size() - kLength));
  return text.empty() ? "it printed nothing" : text;
}

// Runs the command to its end.  Cancelled after a signal.
absl::Status RunCommand(const std::vector<std::string>& command, const std::string& log,
                        const std::string& scratch, absl::Duration limit) {
  SubprocessOptions options;
  options.command = command;
  options.log = log;
  options.variables = {{"TEST_TMPDIR", scratch}};
  options.own_group = true;
  OP3D_ASSIGN_OR_RETURN(const std::unique_ptr<Subprocess> child, Subprocess::Start(options));
  const absl::Time end = absl::Now() + limit;
  while (!child->Ended()) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    if (absl::Now() > end) {
      return absl::DeadlineExceededError(
          absl::StrCat("it was ended after ", absl::FormatDuration(limit),
                       "; --part_minutes allows more.  It printed last: ", EndOf(log)));
    }
    // Rarely, so that waiting does not disturb what is measured.
    absl::SleepFor(absl::Milliseconds(20));
  }
  const int code = child->Wait();
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      code < 0 ? absl::StrCat("signal ", -code, " ended it") : absl::StrCat("exit code ", code),
      ": ", EndOf(log)));
}

class Runner {
 public:
  Runner(const SpeedSuite& suite, SpeedReport* report) : suite_(suite), report_(*report) {}

  absl::Status Run() {
    report_.set_turns(suite_.turns);
    for (const SpeedWork& work : suite_.parts) {
      SpeedPart& part = *report_.add_parts();
      part.set_name(work.name);
      if (!work.left_out.empty()) {
        End(work, SpeedPart::LEFT_OUT, work.left_out);
      } else if (!FileExists(work.command[0])) {
        End(work, SpeedPart::MISSING, absl::StrCat("there is no program ", work.command[0]));
      }
    }
    for (int turn = 0; turn < suite_.turns; ++turn) {
      for (const SpeedWork& work : suite_.parts) {
        if (!work.peers) OP3D_RETURN_IF_ERROR(RunTurn(work, turn));
      }
    }
    for (const SpeedWork& work : suite_.parts) {
      if (work.peers) OP3D_RETURN_IF_ERROR(RunTurn(work, 0));
    }
    report_.set_complete(true);
    return absl::OkStatus();
  }

 private:
  SpeedPart& Part(const SpeedWork& work) {
    return *std::find_if(report_.mutable_parts()->begin(), report_.mutable_parts()->end(),
                         [&](const SpeedPart& part) { return part.name() == work.name; });
  }

  void End(const SpeedWork& work, SpeedPart::State state, absl::string_view message) {
    Part(work).set_state(state);
    Part(work).set_message(std::string(message));
    const char* const word = state == SpeedPart::LEFT_OUT  ? " is left out: "
                             : state == SpeedPart::MISSING ? " is missing: "
                                                           : " failed: ";
    if (state != SpeedPart::FAILED) stopped_.insert(work.name);
    Progress::Print(absl::StrCat("part ", work.name, word, message));
  }

  absl::Status RunTurn(const SpeedWork& work, int turn) {
    if (stopped_.count(work.name) > 0) return absl::OkStatus();
    const std::string turns =
        work.peers ? "" : absl::StrCat("turn ", turn + 1, " of ", suite_.turns, ": ");
    Progress::Print(absl::StrCat(turns, work.name, ", ", work.what));
    const absl::Time start = absl::Now();
    const absl::Status status = work.peers ? MeasurePeers(work) : Measure(work);
    Part(work).set_seconds(Part(work).seconds() + absl::ToDoubleSeconds(absl::Now() - start));
    if (absl::IsCancelled(status)) return status;
    // Not again for a row that fails in every turn.
    if (!status.ok() && Part(work).state() == SpeedPart::DONE) {
      End(work, SpeedPart::FAILED, status.message());
    }
    return suite_.save ? suite_.save(report_) : absl::OkStatus();
  }

  std::string File(const std::string& name, absl::string_view ending) const {
    return JoinPath(suite_.folder, absl::StrCat(name, ending));
  }

  // Runs it with these flags in addition.
  absl::Status Start(const SpeedWork& work, const std::vector<std::string>& flags) {
    std::vector<std::string> command = work.command;
    command.insert(command.end(), flags.begin(), flags.end());
    const std::string scratch = File("tmp", "");
    OP3D_RETURN_IF_ERROR(MakeFolders(scratch));
    return RunCommand(command, File(work.name, ".log"), scratch, suite_.limit);
  }

  // The JSON of a Google Benchmark program.
  absl::StatusOr<std::string> RunBenchmark(const SpeedWork& work) {
    const std::string out = File(work.name, ".json");
    OP3D_RETURN_IF_ERROR(RemoveFile(out));
    OP3D_RETURN_IF_ERROR(
        Start(work, {absl::StrCat("--benchmark_out=", out), "--benchmark_out_format=json"}));
    return ReadFile(out);
  }

  absl::Status Measure(const SpeedWork& work) {
    stopped_.insert(work.name);  // until it has run to its end
    OP3D_ASSIGN_OR_RETURN(const double before, YardstickBefore(work.yardstick));
    last_yardstick_.reset();
    OP3D_ASSIGN_OR_RETURN(const std::string json, RunBenchmark(work));
    OP3D_ASSIGN_OR_RETURN(const double after, MeasureYardstick(work.yardstick));
    const absl::Status rows = AddBenchmarkRows(json, work, (before + after) / 2, &report_);
    if (!absl::IsInvalidArgument(rows)) stopped_.erase(work.name);  // single rows may fail
    return rows;
  }

  // The yardstick that ended the part before, if it is the same.
  absl::StatusOr<double> YardstickBefore(const std::string& name) {
    if (last_yardstick_ == name) return last_ms_;
    return MeasureYardstick(name);
  }

  // In milliseconds; 0 without a name.
  absl::StatusOr<double> MeasureYardstick(const std::string& name) {
    if (name.empty()) return 0;
    const auto work = std::find_if(suite_.yardsticks.begin(), suite_.yardsticks.end(),
                                   [&](const SpeedWork& each) { return each.name == name; });
    if (work == suite_.yardsticks.end()) {
      return absl::InternalError(absl::StrCat("there is no yardstick ", name));
    }
    const absl::StatusOr<std::string> json = RunBenchmark(*work);
    if (absl::IsCancelled(json.status())) return json.status();
    SpeedReport rows;
    absl::Status status = json.status();
    if (status.ok()) status = AddBenchmarkRows(*json, *work, 0, &rows);
    OP3D_RETURN_IF_ERROR(Annotate(status, absl::StrCat("its yardstick ", name)));
    for (const auto& [library, version] : rows.libraries()) {
      (*report_.mutable_libraries())[library] = version;
    }
    last_yardstick_ = name;
    last_ms_ = rows.rows(0).ms().median();
    AddSpeedValue(last_ms_, Yardstick(*work).mutable_ms());
    return last_ms_;
  }

  SpeedYardstick& Yardstick(const SpeedWork& work) {
    for (SpeedYardstick& yardstick : *report_.mutable_yardsticks()) {
      if (yardstick.name() == work.name) return yardstick;
    }
    SpeedYardstick& yardstick = *report_.add_yardsticks();
    yardstick.set_name(work.name);
    yardstick.set_what(work.what);
    return yardstick;
  }

  // What a failed script has written counts too.
  absl::Status MeasurePeers(const SpeedWork& work) {
    const std::string out = File(work.name, ".json");
    OP3D_RETURN_IF_ERROR(RemoveFile(out));
    const absl::Status ended =
        Start(work, {absl::StrCat("--output=", out), absl::StrCat("--turns=", suite_.turns)});
    if (absl::IsCancelled(ended)) return ended;
    const absl::StatusOr<std::string> json = ReadFile(out);
    if (!json.ok()) return ended.ok() ? json.status() : ended;
    SpeedReport peers;
    OP3D_RETURN_IF_ERROR(Annotate(ParseProtoJson(*json, /*ignore_unknown=*/false, &peers), out));
    for (SpeedRow& row : *peers.mutable_rows()) {
      row.set_part(work.name);
      const std::string what = absl::StrCat("row ", row.name());
      OP3D_RETURN_IF_ERROR(CheckSpread(what, 0, row.mutable_ms()));
      if (row.has_ratio()) OP3D_RETURN_IF_ERROR(CheckSpread(what, 0, row.mutable_ratio()));
      *FindOrAddRow(work.name, row.name(), &report_) = row;
    }
    for (const SpeedPart& part : peers.parts()) Part(work).mutable_notes()->MergeFrom(part.notes());
    for (const auto& [library, version] : peers.libraries()) {
      (*report_.mutable_libraries())[library] = version;
    }
    return ended;
  }

  const SpeedSuite& suite_;
  SpeedReport& report_;
  // Parts that are not run (again): one that fails would fail in every turn.
  std::set<std::string> stopped_;
  // The yardstick that was measured last, unless something else ran since.
  std::optional<std::string> last_yardstick_;
  double last_ms_ = 0;
};

}  // namespace

absl::Status RunSpeedSuite(const SpeedSuite& suite, SpeedReport* report) {
  return Runner(suite, report).Run();
}

absl::Status SpeedSuiteStatus(const SpeedReport& report) {
  std::vector<std::string> names;
  for (const SpeedPart& part : report.parts()) {
    if (part.state() == SpeedPart::FAILED || part.state() == SpeedPart::MISSING) {
      names.push_back(part.name());
    }
  }
  if (names.empty()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      names.size(), " of ", report.parts_size(),
      " parts failed or are missing: ", absl::StrJoin(names, ", "), "; see the messages above"));
}

absl::Status AddBenchmarkRows(absl::string_view json, const SpeedWork& part, double yardstick_ms,
                              SpeedReport* report) {
  std::vector<std::string> failures;
  int rows = 0;
  // Google Benchmark leaves the file empty if its filter matches no row.
  const bool empty = absl::StripAsciiWhitespace(json).empty();
  try {
    const Json parsed = Json::parse(empty ? R"({"context": {}, "benchmarks": []})" : json);
    AddLibraries(parsed.at("context"), report);
    for (const Json& row : parsed.at("benchmarks")) {
      if (row.value("run_type", "iteration") != "iteration") continue;
      ++rows;
      const absl::Status status = AddBenchmarkRow(row, part, yardstick_ms, report);
      if (!status.ok()) failures.push_back(std::string(status.message()));
    }
  } catch (const std::exception& error) {  // the library reports all faults this way
    return absl::InvalidArgumentError(
        absl::StrCat("its output is not Google Benchmark's JSON: ", error.what()));
  }
  if (rows == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("no row of the program matches ", absl::StrJoin(part.command, " ")));
  }
  if (failures.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrJoin(failures, "; "));
}

}  // namespace op3d::benchmarks
