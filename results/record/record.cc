#include "results/record/record.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/sha256.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "results/record/compact_record.h"

namespace op3d::results {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

absl::Status CheckShare(double share, absl::string_view what) {
  if (share >= 0 && share <= 1) return absl::OkStatus();  // false for NaN
  return Invalid(what, " is ", share, "; a share must be in [0, 1]");
}

absl::Status CheckCounts(const google::protobuf::RepeatedPtrField<TestResult::ClassResult>& rows,
                         absl::string_view what) {
  for (const TestResult::ClassResult& row : rows) {
    if (row.correct() < 0 || row.correct() > row.videos()) {
      return Invalid(what, " '", row.name(), "' has ", row.correct(), " correct of ", row.videos(),
                     " videos");
    }
  }
  return absl::OkStatus();
}

size_t DigitsOfRight(const TestResult& test) {
  return 2 * ((static_cast<size_t>(test.videos()) + 7) / 8);
}

// Whether it has the right number of hexadecimal digits for the videos.
bool IsRightWhole(const TestResult& test) {
  return test.right().size() == DigitsOfRight(test) &&
         absl::c_all_of(test.right(), [](char digit) { return absl::ascii_isxdigit(digit); });
}

absl::Status CheckTest(const TestResult& test) {
  if (test.videos() < 1 || test.clips() < 1 || test.crops() < 1) {
    return Invalid("test of ", test.videos(), " videos, ", test.clips(), " clips, ", test.crops(),
                   " crops; each must be at least 1");
  }
  OP3D_RETURN_IF_ERROR(CheckShare(test.top1(), "top1"));
  OP3D_RETURN_IF_ERROR(CheckShare(test.top3(), "top3"));
  OP3D_RETURN_IF_ERROR(CheckShare(test.top5(), "top5"));
  OP3D_RETURN_IF_ERROR(CheckShare(test.mean_class_accuracy(), "mean_class_accuracy"));
  for (const double share : test.head_top1()) {
    OP3D_RETURN_IF_ERROR(CheckShare(share, "head_top1"));
  }
  if (absl::StrContains(test.scores_file(), "/")) {
    return Invalid("scores_file '", test.scores_file(),
                   "' leaves the run's folder; it must be a bare file name");
  }
  OP3D_RETURN_IF_ERROR(CheckCounts(test.classes(), "class"));
  return CheckCounts(test.groups(), "group");
}

absl::Status CheckLists(const RunRecord& record) {
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (!absl::StrContains(list.videos_file(), "/")) continue;
    return Invalid("videos_file '", list.videos_file(),
                   "' leaves the run's folder; it must be a bare file name");
  }
  return absl::OkStatus();
}

absl::Status CheckCandidates(const RecipeResult& recipe) {
  std::set<std::string> titles;
  int chosen = 0;
  for (const RecipeResult::Candidate& candidate : recipe.candidates()) {
    if (!titles.insert(candidate.title()).second) {
      return Invalid("candidate '", candidate.title(), "' stands twice; titles must differ");
    }
    if (candidate.frames() < 0) {
      return Invalid("candidate '", candidate.title(), "' has ", candidate.frames(),
                     " frames; it must be at least 0");
    }
    if (candidate.has_held_out() && !std::isfinite(candidate.held_out())) {
      return Invalid("candidate '", candidate.title(), "' has the held_out score ",
                     candidate.held_out(), "; it must be finite, or not set where it failed");
    }
    chosen += candidate.chosen() ? 1 : 0;
  }
  if (chosen > 1) return Invalid(chosen, " candidates are chosen; at most one can be");
  return absl::OkStatus();
}

// Checks the role and the fields that belong to it.
absl::Status CheckRole(const RecipeResult& recipe, std::set<int>* roles) {
  const bool repeats = recipe.role() == RecipeResult::ROLE_UNSPECIFIED ||
                       recipe.role() == RecipeResult::HAND_TUNED ||
                       recipe.role() == RecipeResult::FIXED;
  if (!repeats && !roles->insert(recipe.role()).second) {
    return Invalid("the role ", RecipeResult::Role_Name(recipe.role()),
                   " stands twice; one row of a record can have it");
  }
  if (recipe.total_frames() != 0 && recipe.total_frames() < recipe.frames()) {
    return Invalid("total_frames is ", recipe.total_frames(), ", fewer than the ", recipe.frames(),
                   " frames of the row itself");
  }
  if (recipe.has_held_out() && !std::isfinite(recipe.held_out())) {
    return Invalid("held_out is ", recipe.held_out(), "; it must be finite, or not set");
  }
  return CheckCandidates(recipe);
}

absl::Status CheckRecipes(const RunRecord& record) {
  std::set<std::string> names;
  std::set<int> roles;
  for (const RecipeResult& recipe : record.recipes()) {
    if (recipe.name().empty()) return Invalid("a recipe has no name");
    if (!names.insert(recipe.name()).second) {
      return Invalid("recipe '", recipe.name(), "' stands twice; names must differ");
    }
    OP3D_RETURN_IF_ERROR(
        Annotate(CheckRole(recipe, &roles), absl::StrCat("recipe '", recipe.name(), "'")));
    if (!recipe.has_test()) continue;
    OP3D_RETURN_IF_ERROR(
        Annotate(CheckTest(recipe.test()), absl::StrCat("recipe '", recipe.name(), "'")));
  }
  return absl::OkStatus();
}

absl::Status CheckEdge(const EdgeOutcome& edge, const std::set<std::string>& states) {
  for (const std::string& name : {edge.from(), edge.to()}) {
    if (states.count(name) == 0) return Invalid("the graph has no state '", name, "'");
  }
  for (int i = 0; i < edge.curve_size(); ++i) {
    if (edge.curve(i).epoch() != i) {
      return Invalid("point ", i, " of the curve is of epoch ", edge.curve(i).epoch(),
                     "; epochs must go 0, 1, 2, ...");
    }
    OP3D_RETURN_IF_ERROR(
        CheckShare(edge.curve(i).performance(), absl::StrCat("the performance after epoch ", i)));
  }
  if (edge.epochs() < 0 || (edge.epochs() > 0 && edge.epochs() >= edge.curve_size())) {
    return Invalid(edge.epochs(), " epochs kept, but the curve has ", edge.curve_size(),
                   " points (epoch 0 is before training)");
  }
  return absl::OkStatus();
}

absl::Status CheckSearch(const SearchOutcome& search) {
  std::set<std::string> states = {search.graph().initial()};
  for (const StateSettings& state : search.graph().states()) states.insert(state.name());
  for (const EdgeOutcome& edge : search.edges()) {
    OP3D_RETURN_IF_ERROR(
        Annotate(CheckEdge(edge, states), absl::StrCat("edge ", edge.from(), "->", edge.to())));
  }
  return absl::OkStatus();
}

// Clears every field "..._seconds" of `message` and of the messages in it.
void ClearSeconds(Message* message) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (absl::EndsWith(field->name(), "_seconds")) {
      reflection.ClearField(message, field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
        ClearSeconds(reflection.MutableRepeatedMessage(message, field, i));
      }
    } else {
      ClearSeconds(reflection.MutableMessage(message, field));
    }
  }
}

// The requirements for every record that is shown.
absl::Status CheckShape(const RunRecord& record) {
  if (record.schema_version() < 1) {
    return Invalid("schema_version is ", record.schema_version(), "; this is no run record");
  }
  if (record.settings().benchmark().empty()) return Invalid("settings.benchmark is empty");
  if (record.settings().scale() == BenchmarkSettings::SCALE_UNSPECIFIED) {
    return Invalid("settings.scale is not set; it must be MINIATURE, FULL or OWN");
  }
  OP3D_RETURN_IF_ERROR(CheckLists(record));
  OP3D_RETURN_IF_ERROR(CheckRecipes(record));
  for (const SearchOutcome& search : record.searches()) {
    OP3D_RETURN_IF_ERROR(
        Annotate(CheckSearch(search), absl::StrCat("search of pool ", search.graph().pool())));
  }
  return absl::OkStatus();
}

// Uses the fields' numbers, so that renaming a field does not invalidate checksums.
std::string ContentSha256(RunRecord record) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    record.SerializeToCodedStream(&coded);
  }
  return Sha256(bytes);
}

absl::Status NewerSchema(const std::string& file, int version) {
  return absl::FailedPreconditionError(
      absl::StrCat(file, ": schema version ", version, "; this program reads up to ",
                   kRecordSchemaVersion, ", use the op3d that wrote it"));
}

// Whether the text ends inside a message or a string.
bool EndsInside(absl::string_view text) {
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return quote != 0 || depth > 0;
}

// The reason why a text that does not parse is no record, as far as it can be told.
absl::Status ExplainUnreadable(const std::string& text, const std::string& file,
                               const absl::Status& status) {
  if (EndsInside(text)) {
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    return absl::InvalidArgumentError(absl::StrCat(file, " ends in line ", lines,
                                                   " inside a message: the file was cut off or "
                                                   "edited; copy it again from where it was made"));
  }
  // What this program knows of it.
  google::protobuf::TextFormat::Parser parser;
  parser.AllowUnknownField(true);
  class Silent : public google::protobuf::io::ErrorCollector {
    void AddError(int, int, const std::string&) override {}
    void AddWarning(int, int, const std::string&) override {}
  } silent;
  parser.RecordErrorsTo(&silent);
  RunRecord known;
  if (!parser.ParseFromString(text, &known) || known.schema_version() < 1) return status;
  if (known.schema_version() > kRecordSchemaVersion) {
    return NewerSchema(file, known.schema_version());
  }
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(), "  A newer op3d wrote the record",
                   known.environment().commit().empty()
                       ? ""
                       : absl::StrCat(" (commit ", known.environment().commit(), ")"),
                   ", or it was edited by hand; read it with that op3d"));
}

std::string PrintRecord(const RunRecord& record) {
  return record.compact() ? PrintDense(record) : PrintTextproto(record);
}

}  // namespace

std::string RecordPath(const std::string& path) {
  return FolderExists(path) ? JoinPath(path, "record.textproto") : path;
}

absl::StatusOr<RunRecord> ReadRecord(const std::string& path) {
  OP3D_ASSIGN_OR_RETURN(StoredRecord stored, ReadStoredRecord(path));
  return std::move(stored.record);
}

absl::StatusOr<StoredRecord> ReadStoredRecord(const std::string& path) {
  const std::string file = RecordPath(path);
  StoredRecord stored;
  RunRecord& record = stored.record;
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  const absl::Status parsed = ParseTextproto(text, file, &record);
  if (!parsed.ok()) return ExplainUnreadable(text, file, parsed);
  if (record.schema_version() > kRecordSchemaVersion) {
    return NewerSchema(file, record.schema_version());
  }
  if (!record.content_sha256().empty()) {
    // Of the content of the file: fields that are restored in a compact record are not included.
    const std::string stated = record.content_sha256();
    record.clear_content_sha256();
    stored.seal = stated == ContentSha256(record) ? Seal::kFits : Seal::kBroken;
  }
  if (record.compact()) record = ExpandRecord(std::move(record));
  const absl::Status shape = CheckShape(record);
  if (!shape.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", shape.message(),
                     "; no run writes this: the record was edited by hand or damaged"));
  }
  return stored;
}

absl::Status WriteRecord(const std::string& path, RunRecord record) {
  record.set_schema_version(kRecordSchemaVersion);
  const std::string file = RecordPath(path);
  const RunRecord whole = record.compact() ? ExpandRecord(record) : record;
  OP3D_RETURN_IF_ERROR(Annotate(ValidateRecord(whole), file));
  // The checksum is computed from what a reader of the text gets.
  record.clear_content_sha256();
  RunRecord read;
  OP3D_RETURN_IF_ERROR(ParseTextproto(PrintRecord(record), file, &read));
  record.set_content_sha256(ContentSha256(std::move(read)));
  return WriteFileAtomically(file, PrintRecord(record));
}

absl::Status ValidateRecord(const RunRecord& record) {
  OP3D_RETURN_IF_ERROR(CheckShape(record));
  for (const RecipeResult& recipe : record.recipes()) {
    OP3D_RETURN_IF_ERROR(
        Annotate(CheckRight(recipe.test()), absl::StrCat("recipe '", recipe.name(), "'")));
  }
  return absl::OkStatus();
}

absl::Status CheckRight(const TestResult& test) {
  if (test.right().empty()) return absl::OkStatus();
  if (!IsRightWhole(test)) {
    return Invalid("right has ", test.right().size(), " characters; ", test.videos(),
                   " videos take ", DigitsOfRight(test), " hexadecimal digits");
  }
  const int64_t count = absl::c_count(UnpackRight(test), true);
  if (std::abs(static_cast<double>(count) - test.top1() * test.videos()) < 0.5) {
    return absl::OkStatus();
  }
  return Invalid("right names ", count, " of ", test.videos(), " videos, but top1 is ",
                 test.top1());
}

RunRecord CanonicalRecord(RunRecord record) {
  record.clear_environment();
  record.clear_time();
  record.clear_effort();
  record.mutable_dataset()->clear_copy();
  for (DatasetReport::List& list : *record.mutable_dataset()->mutable_lists()) {
    list.clear_files_crc32();
    // crc32 is of the same lines, and older records only have that.
    list.clear_sha256();
    list.clear_media_sha256();
    list.clear_media_hashed();
  }
  // The reasons for settings are only text, and some depend on the machine.
  record.mutable_settings()->clear_derived();
  // Not the settings: their seconds decide what a run does.
  for (SearchOutcome& search : *record.mutable_searches()) ClearSeconds(&search);
  for (RecipeResult& recipe : *record.mutable_recipes()) ClearSeconds(&recipe);
  return record;
}

std::string DecisiveSettings(const RunRecord& record) {
  BenchmarkSettings settings = record.settings();
  settings.clear_seed();
  settings.clear_derived();
  settings.mutable_dataset()->clear_split();
  return PrintTextproto(settings);
}

std::string RecordSha256(const RunRecord& record) { return ContentSha256(record); }

uint32_t TestVideos(const RunRecord& record) {
  for (const DatasetReport::List& list : record.dataset().lists()) {
    if (list.name() == "evaluation") return list.crc32();
  }
  return 0;
}

std::string PackRight(absl::Span<const int64_t> ranks) {
  std::string bytes((ranks.size() + 7) / 8, '\0');
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i] == 0) bytes[i / 8] = static_cast<char>(bytes[i / 8] | (0x80 >> (i % 8)));
  }
  return absl::BytesToHexString(bytes);
}

std::vector<bool> UnpackRight(const TestResult& test) {
  if (!IsRightWhole(test)) return {};
  const std::string bytes = absl::HexStringToBytes(test.right());
  std::vector<bool> right;
  for (size_t i = 0; !bytes.empty() && i < static_cast<size_t>(test.videos()); ++i) {
    right.push_back((bytes[i / 8] & (0x80 >> (i % 8))) != 0);
  }
  return right;
}

}  // namespace op3d::results
