#include "results/compare/compare.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "op3d/base/file.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "results/compare/record_comparison.h"
#include "results/compare/scores_comparison.h"
#include "results/record/format.h"
#include "results/record/named_records.h"
#include "results/record/record.h"
#include "results/record/record_check.h"

namespace op3d::results {
namespace {

using nlohmann::ordered_json;

// A file in the record's folder.
std::string Beside(const std::string& run, const std::string& name) {
  return JoinPath(std::filesystem::path(RecordPath(run)).parent_path().string(), name);
}

// The names of scores files in either record.
std::set<std::string> ScoresFiles(const RunRecord& record) {
  std::set<std::string> names;
  for (const RecipeResult& recipe : record.recipes()) {
    if (!recipe.test().scores_file().empty()) names.insert(recipe.test().scores_file());
  }
  return names;
}

// The record's checksums of its scores file `name`.
TestResult StatedSums(const RunRecord& record, const std::string& name) {
  for (const RecipeResult& recipe : record.recipes()) {
    if (recipe.test().scores_file() == name) return recipe.test();
  }
  return TestResult();
}

// Whether both records have a checksum of the same kind, which CompareRecords() has then compared.
bool ComparedByChecksum(const RunRecord& a, const RunRecord& b, const std::string& name) {
  const TestResult sums_a = StatedSums(a, name), sums_b = StatedSums(b, name);
  return (!sums_a.scores_sha256().empty() && !sums_b.scores_sha256().empty()) ||
         (sums_a.scores_crc32() != 0 && sums_b.scores_crc32() != 0);
}

// Refuses a file that differs from the one with which the record was written.
absl::Status CheckSums(const std::string& run, const RunRecord& record, const char* which,
                       RunComparison* comparison) {
  std::set<std::string> checked;
  for (const RecipeResult& recipe : record.recipes()) {
    const std::string& name = recipe.test().scores_file();
    if (name.empty() || !checked.insert(name).second || !FileExists(Beside(run, name))) continue;
    OP3D_ASSIGN_OR_RETURN(std::string bytes, ReadFile(Beside(run, name)));
    bytes = WithoutMetadata(std::move(bytes));
    const bool sha = !recipe.test().scores_sha256().empty();
    const std::string found = sha ? Sha256(bytes) : absl::StrFormat("%08x", Crc32(bytes));
    const std::string stated =
        sha ? recipe.test().scores_sha256() : absl::StrFormat("%08x", recipe.test().scores_crc32());
    if (found == stated) continue;
    comparison->differences.push_back({absl::StrCat(name, " of ", which), found, stated,
                                       "checksum of the file compared with its own record"});
  }
  return absl::OkStatus();
}

absl::Status CompareScoresFiles(const std::string& a, const RunRecord& record_a,
                                const std::string& b, const RunRecord& record_b,
                                const ComparisonOptions& options, RunComparison* comparison) {
  const std::set<std::string> others = ScoresFiles(record_b);
  for (const std::string& name : ScoresFiles(record_a)) {
    if (others.count(name) == 0) continue;  // the records differ in it anyway
    std::string missing;
    for (const std::string& path : {Beside(a, name), Beside(b, name)}) {
      if (missing.empty() && !FileExists(path)) missing = path;
    }
    if (missing.empty()) {
      OP3D_ASSIGN_OR_RETURN(ScoresComparison scores,
                            CompareScores(Beside(a, name), Beside(b, name), options));
      comparison->scores += scores.numbers;
      std::move(scores.differences.begin(), scores.differences.end(),
                std::back_inserter(comparison->differences));
    } else if (options.exact && ComparedByChecksum(record_a, record_b, name)) {
      ++comparison->files_by_checksum;
    } else if (options.exact) {
      return absl::NotFoundError(
          absl::StrCat("scores file ", missing,
                       " is missing and the records state no checksum of it; an exact comparison "
                       "needs one of the two"));
    } else {
      comparison->not_compared.push_back(absl::StrCat(name, ": ", missing, " is missing"));
    }
  }
  if (!options.exact) return absl::OkStatus();
  OP3D_RETURN_IF_ERROR(CheckSums(a, record_a, "A", comparison));
  return CheckSums(b, record_b, "B", comparison);
}

void Count(const RunRecord& record, RunComparison* comparison) {
  comparison->fields = CountFields(record);
  comparison->recipes = record.recipes_size();
  for (const SearchOutcome& search : record.searches()) {
    comparison->edges += search.edges_size();
    for (const EdgeOutcome& edge : search.edges()) comparison->curve_points += edge.curve_size();
  }
}

std::string CountsText(const RunComparison& comparison) {
  std::string text =
      absl::StrCat(FormatCount(comparison.fields), " fields, among them ",
                   FormatCount(comparison.recipes), " recipes and ", FormatCount(comparison.edges),
                   " edges with ", FormatCount(comparison.curve_points), " curve points, and ");
  if (comparison.files_by_checksum == 0) {
    absl::StrAppend(&text, FormatCount(comparison.scores), " scores");
  } else {
    absl::StrAppend(&text, "the checksums of scores and weights");
  }
  return text;
}

}  // namespace

absl::StatusOr<RunComparison> CompareRuns(const std::string& a, const std::string& b,
                                          const ComparisonOptions& options) {
  // The scores are compared below.
  OP3D_ASSIGN_OR_RETURN(const CheckedRecord read_a, ReadCheckedRecord(a, CheckBeside::kSettings));
  OP3D_ASSIGN_OR_RETURN(const CheckedRecord read_b, ReadCheckedRecord(b, CheckBeside::kSettings));
  const RunRecord &record_a = read_a.record, &record_b = read_b.record;
  RunComparison comparison;
  if (read_a.check.Edited()) comparison.edited.push_back(DescribeEdit("A", read_a.check));
  if (read_b.check.Edited()) comparison.edited.push_back(DescribeEdit("B", read_b.check));
  comparison.other_set = DescribeOtherSet({"A", record_a}, {"B", record_b});
  comparison.exact = options.exact;
  comparison.differences = CompareRecords(record_a, record_b, options);
  Count(record_a, &comparison);
  OP3D_RETURN_IF_ERROR(CompareScoresFiles(a, record_a, b, record_b, options, &comparison));
  return comparison;
}

std::string DifferenceText(const Difference& difference) {
  std::string text = difference.place;
  if (!difference.a.empty() && !difference.b.empty()) {
    absl::StrAppend(&text, ": ", difference.a, " against ", difference.b);
  } else if (!difference.a.empty() || !difference.b.empty()) {
    absl::StrAppend(&text, ": ", difference.a, difference.b);
  }
  if (!difference.note.empty()) absl::StrAppend(&text, " (", difference.note, ")");
  return text;
}

std::string DescribeComparison(const RunComparison& comparison, int most) {
  std::string text;
  const int count = static_cast<int>(comparison.differences.size());
  for (const std::string& sentence : comparison.edited) absl::StrAppend(&text, sentence, "\n");
  if (!comparison.other_set.empty()) absl::StrAppend(&text, comparison.other_set, ".\n");
  if (count == 0 && !comparison.edited.empty()) {
    absl::StrAppend(&text, "No verdict: the records say the same (", CountsText(comparison),
                    " were compared), but a record was edited or damaged.\n");
  } else if (count == 0) {
    text = absl::StrCat("The runs are equal ",
                        comparison.exact ? "in every bit" : "within the tolerances", ": ",
                        CountsText(comparison), " were compared.\n");
  } else {
    absl::StrAppend(
        &text,
        comparison.edited.empty() ? "The runs differ in " : "No verdict: the records differ in ",
        FormatCount(count), count == 1 ? " place (" : " places (", CountsText(comparison),
        " were compared):\n");
  }
  for (int i = 0; i < std::min(count, most); ++i) {
    absl::StrAppend(&text, "  ", DifferenceText(comparison.differences[i]), "\n");
  }
  if (count > most) absl::StrAppend(&text, "  and ", FormatCount(count - most), " more\n");
  for (const std::string& what : comparison.not_compared) {
    absl::StrAppend(&text, "Not compared: ", what, "\n");
  }
  return text;
}

std::string ComparisonJson(const RunComparison& comparison) {
  ordered_json json = {
      {"equal", comparison.edited.empty() ? ordered_json(comparison.differences.empty())
                                          : ordered_json(nullptr)},
      {"exact", comparison.exact}};
  json["differences"] = ordered_json::array();
  for (const Difference& difference : comparison.differences) {
    json["differences"].push_back({{"place", difference.place},
                                   {"a", difference.a},
                                   {"b", difference.b},
                                   {"note", difference.note}});
  }
  json["compared"] = {
      {"fields", comparison.fields}, {"recipes", comparison.recipes},
      {"edges", comparison.edges},   {"curve_points", comparison.curve_points},
      {"scores", comparison.scores}, {"files_by_checksum", comparison.files_by_checksum}};
  json["not_compared"] = comparison.not_compared;
  json["edited"] = comparison.edited;
  if (!comparison.other_set.empty()) json["other_set"] = comparison.other_set;
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace op3d::results
