#include "data/annotation/format/kinetics_csv.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/io/csv.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] = "label,youtube_id,time_start,time_end,split";

absl::string_view FirstLine(absl::string_view text) {
  return absl::StripTrailingAsciiWhitespace(text.substr(0, text.find('\n')));
}

absl::Status NotKinetics(absl::string_view source, int64_t line_number, absl::string_view text,
                         absl::string_view why) {
  const absl::string_view line = FirstLine(WithoutByteOrderMark(text));
  std::string other = RecogniseList(text);
  if (other == "a list of Kinetics") other.clear();  // as was asked for
  return absl::InvalidArgumentError(absl::StrCat(
      source, ":", line_number, ": not an official list of Kinetics: the header row '",
      line.substr(0, 120), "' ", why, other.empty() ? "" : absl::StrCat("; it looks like ", other),
      "; expected '", kExpected, "' (columns in any order, a test list without label)"));
}

// The index of each column in the header; -1 if it is missing.
struct Columns {
  int label = -1, youtube_id = -1, start = -1, end = -1, split = -1;
};

absl::StatusOr<Columns> FindColumns(const CsvRow& header, absl::string_view text,
                                    absl::string_view source) {
  Columns columns;
  const std::pair<absl::string_view, int*> wanted[] = {{"label", &columns.label},
                                                       {"youtube_id", &columns.youtube_id},
                                                       {"time_start", &columns.start},
                                                       {"time_end", &columns.end},
                                                       {"split", &columns.split}};
  std::vector<std::string> absent;
  for (const auto& [name, place] : wanted) {
    for (int i = 0; i < header.fields.size(); ++i) {
      if (absl::StripAsciiWhitespace(header.fields[i]) == name) *place = i;
    }
    if (*place < 0 && name != "label") absent.push_back(std::string(name));
  }
  if (absent.empty()) return columns;
  return NotKinetics(source, header.line, text,
                     absl::StrCat("lacks ", absl::StrJoin(absent, ", ")));
}

absl::Status RowError(absl::string_view source, const CsvRow& row, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(source, ":", row.line, ": ", what, " in '",
                                                 absl::StrJoin(row.fields, ",").substr(0, 160),
                                                 "'"));
}

// "417", and "417.0" as some copies have it.
bool ParseSeconds(absl::string_view text, int64_t* seconds) {
  text = absl::StripAsciiWhitespace(text);
  absl::ConsumeSuffix(&text, ".0");
  return absl::SimpleAtoi(text, seconds) && *seconds >= 0;
}

absl::StatusOr<KineticsClip> ParseRow(const CsvRow& row, const Columns& columns, int header_size,
                                      absl::string_view source) {
  if (row.fields.size() != header_size) {
    return RowError(source, row,
                    absl::StrCat(row.fields.size(), " fields, the header has ", header_size, ","));
  }
  KineticsClip clip;
  clip.line = row.line;
  if (columns.label >= 0) {
    clip.label = std::string(absl::StripAsciiWhitespace(row.fields[columns.label]));
  }
  clip.youtube_id = std::string(absl::StripAsciiWhitespace(row.fields[columns.youtube_id]));
  // The id becomes part of a file's name.
  const bool printable = std::all_of(clip.youtube_id.begin(), clip.youtube_id.end(), [](char c) {
    return absl::ascii_isgraph(c) && c != '/' && c != '\\';
  });
  if (clip.youtube_id.empty() || !printable) {
    return RowError(source, row, "no usable youtube_id");
  }
  if (!ParseSeconds(row.fields[columns.start], &clip.start_seconds) ||
      !ParseSeconds(row.fields[columns.end], &clip.end_seconds)) {
    return RowError(source, row,
                    "time_start and time_end must be whole seconds from 0, but are not,");
  }
  if (clip.start_seconds >= clip.end_seconds) {
    return RowError(source, row, "time_start is not before time_end");
  }
  clip.split = std::string(absl::StripAsciiWhitespace(row.fields[columns.split]));
  return clip;
}

}  // namespace

std::string KineticsClip::Name() const {
  return absl::StrFormat("%s_%06d_%06d", youtube_id, start_seconds, end_seconds);
}

std::string KineticsClip::ShortName() const {
  return absl::StrCat(youtube_id, "_", start_seconds, "_", end_seconds);
}

absl::StatusOr<std::vector<KineticsClip>> ParseKineticsCsv(absl::string_view text,
                                                           absl::string_view source) {
  const absl::StatusOr<std::vector<CsvRow>> parsed = ParseCsv(text, source);
  if (!parsed.ok()) {
    // For text that is not CSV, the name of the dataset is a better message than the first odd
    // quote.
    const bool known = !RecogniseList(text).empty();
    return known ? NotKinetics(source, 1, text, "is not its header") : parsed.status();
  }
  const std::vector<CsvRow>& rows = *parsed;
  if (rows.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": empty; expected the header row '",
                                                   kExpected, "' and a row a clip"));
  }
  OP3D_ASSIGN_OR_RETURN(const Columns columns, FindColumns(rows[0], text, source));
  std::vector<KineticsClip> clips;
  clips.reserve(rows.size() - 1);
  absl::flat_hash_map<std::string, int64_t> lines;
  lines.reserve(rows.size());
  for (size_t i = 1; i < rows.size(); ++i) {
    OP3D_ASSIGN_OR_RETURN(KineticsClip clip,
                          ParseRow(rows[i], columns, rows[0].fields.size(), source));
    const auto [place, fresh] = lines.emplace(clip.Name(), rows[i].line);
    if (!fresh) {
      return RowError(source, rows[i],
                      absl::StrCat("the clip of line ", place->second, " once more"));
    }
    clips.push_back(std::move(clip));
  }
  if (clips.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": a header row, but not a single clip below it"));
  }
  return clips;
}

}  // namespace op3d::data
