#include "benchmarks/run/reproduction.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/textproto.h"

namespace op3d::benchmarks {
namespace {

std::string OrUnknown(const std::string& text) { return text.empty() ? "unknown" : text; }

std::string ProcessorText(const Environment& environment) {
  if (!environment.has_processor()) return OrUnknown(environment.cpu());
  const ProcessorModel& processor = environment.processor();
  return absl::StrFormat("%s (%s, family %d, model %d, stepping %d)", environment.cpu(),
                         processor.vendor(), processor.family(), processor.model(),
                         processor.stepping());
}

void AddDataCauses(const RunRecord& recorded, const RunRecord& again,
                   std::vector<std::string>* causes) {
  const std::string &copy = recorded.dataset().copy(), &other_copy = again.dataset().copy();
  // Older records do not say of which copy they are.
  if (!copy.empty() && !other_copy.empty() && copy != other_copy) {
    causes->push_back(absl::StrCat("other data: recorded from the copy ", copy,
                                   ", read again from ", other_copy));
  }
  for (const DatasetReport::List& list : recorded.dataset().lists()) {
    for (const DatasetReport::List& other : again.dataset().lists()) {
      if (other.name() != list.name()) continue;
      if (other.crc32() != list.crc32()) {
        causes->push_back(absl::StrFormat(
            "other data: list '%s' has %d videos with the checksum %08x, recorded are %d with %08x",
            list.name(), other.used(), other.crc32(), list.used(), list.crc32()));
      } else if (list.files_crc32() != 0 && other.files_crc32() != 0 &&
                 list.files_crc32() != other.files_crc32()) {
        causes->push_back(absl::StrCat(
            "other data: list '", list.name(),
            "' names the same videos, but the sizes of their files differ; another encoder or "
            "another copy made them"));
      }
    }
  }
}

void AddArithmeticCauses(const Environment& recorded, const Environment& again,
                         std::vector<std::string>* causes) {
  if (recorded.arithmetic().empty()) {
    causes->push_back(
        absl::StrCat("other arithmetic: the record does not state its own, so it was native, on ",
                     ProcessorText(recorded), "; this run is ", OrUnknown(again.arithmetic())));
  } else if (recorded.arithmetic() != again.arithmetic()) {
    causes->push_back(absl::StrCat("other arithmetic: ", OrUnknown(again.arithmetic()),
                                   ", recorded is ", recorded.arithmetic()));
  }
  const std::string processor = ProcessorText(again), other = ProcessorText(recorded);
  if (!recorded.arithmetic().empty() && processor != other) {
    causes->push_back(absl::StrCat("another processor: ", processor, ", recorded is ", other,
                                   "; portable arithmetic was tried only on AMD processors"));
  }
  if (recorded.device() != again.device()) {
    causes->push_back(
        absl::StrCat("another device: ", again.device(), ", recorded is ", recorded.device()));
  }
}

}  // namespace

std::vector<std::string> PossibleCauses(const RunRecord& recorded, const RunRecord& again) {
  std::vector<std::string> causes;
  AddDataCauses(recorded, again, &causes);
  if (PrintTextproto(recorded.settings()) != PrintTextproto(again.settings())) {
    causes.push_back("other settings: this program reads the recorded settings differently");
  }
  AddArithmeticCauses(recorded.environment(), again.environment(), &causes);
  const std::string libraries = absl::StrJoin(again.environment().libraries(), ", ");
  const std::string recorded_libraries = absl::StrJoin(recorded.environment().libraries(), ", ");
  if (libraries != recorded_libraries) {
    causes.push_back(absl::StrCat("other libraries: ", OrUnknown(libraries), ", recorded are ",
                                  OrUnknown(recorded_libraries)));
  }
  const std::string& commit = again.environment().commit();
  const std::string& recorded_commit = recorded.environment().commit();
  if (commit != recorded_commit) {
    causes.push_back(absl::StrCat("another commit of op3d: ", OrUnknown(commit), ", recorded is ",
                                  OrUnknown(recorded_commit)));
  }
  return causes;
}

std::string DescribeReproduction(const RunRecord& recorded, const RunRecord& again,
                                 const results::RunComparison& comparison) {
  if (comparison.differences.empty()) {
    return absl::StrReplaceAll(results::DescribeComparison(comparison),
                               {{"The runs are equal in every bit", "Equal in every bit"}});
  }
  std::string text = absl::StrCat("Not equal (recorded against this run). What differs first:\n  ",
                                  results::DifferenceText(comparison.differences[0]), "\n");
  constexpr int kShown = 10;
  const int count = static_cast<int>(comparison.differences.size());
  if (count > 1) absl::StrAppend(&text, "and in ", count - 1, " more places:\n");
  for (int i = 1; i < std::min(count, kShown); ++i) {
    absl::StrAppend(&text, "  ", results::DifferenceText(comparison.differences[i]), "\n");
  }
  if (count > kShown) absl::StrAppend(&text, "  ...\n");
  const std::vector<std::string> causes = PossibleCauses(recorded, again);
  if (causes.empty()) {
    return absl::StrCat(text,
                        "Lists, settings, arithmetic, processor, libraries and commit are as "
                        "recorded: the videos' pictures may differ, or this is a bug in op3d.\n");
  }
  absl::StrAppend(&text, "Why that may be:\n");
  for (const std::string& cause : causes) absl::StrAppend(&text, "  ", cause, "\n");
  return text;
}

}  // namespace op3d::benchmarks
