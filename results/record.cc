#include "results/record.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"

namespace op3d {
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

absl::Status CheckRecipes(const RunRecord& record) {
  std::set<std::string> names;
  for (const RecipeResult& recipe : record.recipes()) {
    if (recipe.name().empty()) return Invalid("a recipe has no name");
    if (!names.insert(recipe.name()).second) {
      return Invalid("recipe '", recipe.name(), "' stands twice; names must differ");
    }
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
  for (const State& state : search.graph().states()) states.insert(state.name());
  for (const EdgeOutcome& edge : search.edges()) {
    OP3D_RETURN_IF_ERROR(
        Annotate(CheckEdge(edge, states), absl::StrCat("edge ", edge.from(), "->", edge.to())));
  }
  return absl::OkStatus();
}

// Clears every field "..._seconds" of `message` and of what it holds.
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

}  // namespace

std::string RecordPath(const std::string& path) {
  return FolderExists(path) ? JoinPath(path, "record.textproto") : path;
}

absl::StatusOr<RunRecord> ReadRecord(const std::string& path) {
  const std::string file = RecordPath(path);
  RunRecord record;
  OP3D_RETURN_IF_ERROR(ReadTextproto(file, &record));
  if (record.schema_version() > kRecordSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, ": schema version ", record.schema_version(), "; this program reads up to ",
        kRecordSchemaVersion, ", use the op3d that wrote it"));
  }
  OP3D_RETURN_IF_ERROR(Annotate(ValidateRecord(record), file));
  return record;
}

absl::Status WriteRecord(const std::string& path, RunRecord record) {
  record.set_schema_version(kRecordSchemaVersion);
  const std::string file = RecordPath(path);
  OP3D_RETURN_IF_ERROR(Annotate(ValidateRecord(record), file));
  return WriteTextproto(file, record);
}

absl::Status ValidateRecord(const RunRecord& record) {
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

RunRecord CanonicalRecord(RunRecord record) {
  record.clear_environment();
  record.clear_time();
  // Why settings were chosen is words, and some of them are of the machine.
  record.mutable_settings()->clear_derived();
  // Not the settings: what they say in seconds decides what a run does.
  for (SearchOutcome& search : *record.mutable_searches()) ClearSeconds(&search);
  for (RecipeResult& recipe : *record.mutable_recipes()) ClearSeconds(&recipe);
  return record;
}

}  // namespace op3d
