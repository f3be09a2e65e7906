#include "results/compare/record_comparison.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "results/picture/curves_svg.h"
#include "results/record/compact_record.h"
#include "results/record/record.h"

namespace op3d::results {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using FieldPath = std::vector<MessageDifferencer::SpecificField>;

bool IsMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
}

double NumberAt(const Message& message, const FieldDescriptor& field, int index) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    return field.is_repeated() ? reflection.GetRepeatedInt32(message, &field, index)
                               : reflection.GetInt32(message, &field);
  }
  return field.is_repeated() ? reflection.GetRepeatedDouble(message, &field, index)
                             : reflection.GetDouble(message, &field);
}

const Message& MessageAt(const Message& holder, const FieldDescriptor& field, int index) {
  return field.is_repeated() ? holder.GetReflection()->GetRepeatedMessage(holder, &field, index)
                             : holder.GetReflection()->GetMessage(holder, &field);
}

// "" for a message.
std::string ValueText(const Message& message, const FieldDescriptor& field, int index) {
  if (IsMessage(field)) return "";
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintFieldValueToString(message, &field, field.is_repeated() ? index : -1, &text);
  return text;
}

// The value at the end of `path`, without quotes.
std::string KeyText(const Message& entry, const std::vector<std::string>& path) {
  const Message* message = &entry;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    message = &MessageAt(*message, *message->GetDescriptor()->FindFieldByName(path[i]), -1);
  }
  const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(path.back());
  return absl::StrReplaceAll(ValueText(*message, *field, -1), {{"\"", ""}});
}

// "recipes" -> "recipe", "losses" -> "loss".
std::string Singular(std::string name) {
  for (const char* ending : {"sses", "ches"}) {
    if (absl::EndsWith(name, ending)) return name.substr(0, name.size() - 2);
  }
  return absl::EndsWith(name, "s") ? name.substr(0, name.size() - 1) : name;
}

// "test", "recipe 'planned'", "edge S0->S1", "curve at epoch 3", "loss 4".
std::string StepText(const Message& holder, const FieldDescriptor& field, int index) {
  const std::string name = absl::StrReplaceAll(field.name(), {{"_", " "}});
  if (!field.is_repeated()) return name;
  const EntryKey key = IsMessage(field) ? KeyOf(*field.message_type()) : EntryKey();
  if (key.empty()) return absl::StrCat(Singular(name), " ", index + 1);
  const Message& entry = MessageAt(holder, field, index);
  if (key[0][0] == "epoch") return absl::StrCat(name, " at epoch ", KeyText(entry, key[0]));
  if (key.size() == 1) return absl::StrCat(Singular(name), " '", KeyText(entry, key[0]), "'");
  return absl::StrCat(Singular(name), " ", KeyText(entry, key[0]), "->", KeyText(entry, key[1]));
}

// NaN equals NaN here, and 0 differs from -0: the bits are compared.
// NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
bool SameBits(double a, double b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

// Compares single values; messages are compared field by field.
class RuleComparator : public google::protobuf::util::SimpleFieldComparator {
 public:
  explicit RuleComparator(const ComparisonOptions& options) : options_(options) {}

  ComparisonResult Compare(const Message& a, const Message& b, const FieldDescriptor* field,
                           int a_index, int b_index,
                           const google::protobuf::util::FieldContext* context) override {
    if (!IsNumber(*field)) return SimpleCompare(a, b, field, a_index, b_index, context);
    const double left = NumberAt(a, *field, a_index), right = NumberAt(b, *field, b_index);
    if (SameBits(left, right)) return SAME;
    if (options_.exact) return DIFFERENT;
    const double allowed = AllowedDifference(RuleOf(*field), options_, left, right);
    // Differences at the limit (0.02 - 0.01 with 0.01 allowed) should not fail because of the last
    // bit.
    const double slack = allowed > 0 ? 1e-12 : 0;
    return std::fabs(left - right) <= allowed + slack ? SAME : DIFFERENT;
  }

 private:
  const ComparisonOptions& options_;
};

// Collects the differencer's results.
class DifferenceList : public MessageDifferencer::Reporter {
 public:
  DifferenceList(const RunRecord& a, const RunRecord& b, const ComparisonOptions& options)
      : a_(a), b_(b), options_(options) {}

  void ReportAdded(const Message&, const Message&, const FieldPath& path) override {
    AddMissing(path, /*in_a=*/false);
  }
  void ReportDeleted(const Message&, const Message&, const FieldPath& path) override {
    AddMissing(path, /*in_a=*/true);
  }
  void ReportModified(const Message&, const Message&, const FieldPath& path) override {
    const FieldDescriptor& field = *path.back().field;
    if (IsMessage(field)) return;  // its fields are reported
    AddChanged(path);
  }
  void ReportMoved(const Message&, const Message&, const FieldPath& path) override {
    if (!options_.exact) return;
    differences.push_back({PlaceOf(path, /*in_a=*/true),
                           absl::StrCat("entry ", path.back().index + 1),
                           absl::StrCat("entry ", path.back().new_index + 1), "order of the list"});
  }

  std::vector<Difference> differences;

 private:
  // The message in one of the records that contains the path's last field.
  const Message& HolderOf(const FieldPath& path, bool in_a,
                          std::vector<std::string>* steps = nullptr) const {
    const Message* holder = in_a ? static_cast<const Message*>(&a_) : &b_;
    for (size_t i = 0; i + 1 < path.size(); ++i) {
      const int index = in_a ? path[i].index : path[i].new_index;
      if (steps != nullptr) steps->push_back(StepText(*holder, *path[i].field, index));
      holder = &MessageAt(*holder, *path[i].field, index);
    }
    return *holder;
  }

  std::string PlaceOf(const FieldPath& path, bool in_a) const {
    std::vector<std::string> steps;
    const Message& holder = HolderOf(path, in_a, &steps);
    const int index = in_a ? path.back().index : path.back().new_index;
    steps.push_back(StepText(holder, *path.back().field, index));
    return absl::StrJoin(steps, " > ");
  }

  void AddChanged(const FieldPath& path) {
    const FieldDescriptor& field = *path.back().field;
    const Message& a = HolderOf(path, true);
    const Message& b = HolderOf(path, false);
    Difference difference = {PlaceOf(path, true), ValueText(a, field, path.back().index),
                             ValueText(b, field, path.back().new_index), ""};
    if (IsNumber(field)) {
      const double left = NumberAt(a, field, path.back().index);
      const double right = NumberAt(b, field, path.back().new_index);
      const double allowed =
          options_.exact ? 0 : AllowedDifference(RuleOf(field), options_, left, right);
      difference.note =
          absl::StrFormat("differs by %.4g, allowed %.4g", std::fabs(left - right), allowed);
    }
    differences.push_back(std::move(difference));
  }

  // Whether a curve or list of losses is longer only by the allowed number of epochs.
  bool IsAllowedLength(const FieldPath& path) const {
    const FieldDescriptor& field = *path.back().field;
    if (options_.exact || (field.full_name() != "op3d.EdgeOutcome.curve" &&
                           field.full_name() != "op3d.RecipeResult.losses")) {
      return false;
    }
    const Message& a = HolderOf(path, true);
    const Message& b = HolderOf(path, false);
    return std::abs(a.GetReflection()->FieldSize(a, &field) -
                    b.GetReflection()->FieldSize(b, &field)) <= options_.epoch_tolerance;
  }

  void AddMissing(const FieldPath& path, bool in_a) {
    const FieldDescriptor& field = *path.back().field;
    if (IsComparedWhereBothStateIt(field)) return;
    // A single value that is not set has its default value.
    if (!field.is_repeated() && !IsMessage(field)) return AddChanged(path);
    if (field.is_repeated() && IsAllowedLength(path)) return;
    Difference difference;
    difference.place = PlaceOf(path, in_a);
    const int index = in_a ? path.back().index : path.back().new_index;
    (in_a ? difference.a : difference.b) = ValueText(HolderOf(path, in_a), field, index);
    difference.note = in_a ? "only in A" : "only in B";
    differences.push_back(std::move(difference));
  }

  const RunRecord& a_;
  const RunRecord& b_;
  const ComparisonOptions& options_;
};

// Numbers of frames, which depend on the epochs.
bool CountsFrames(const FieldDescriptor& field) {
  return field.full_name() == "op3d.RecipeResult.frames" ||
         field.full_name() == "op3d.RecipeResult.total_frames" ||
         field.full_name() == "op3d.RecipeResult.Candidate.frames";
}

// Sets the differencer's rules for the fields of `message` and of all messages in it.
void SetRules(const Descriptor* message, const ComparisonOptions& options,
              std::vector<const Descriptor*>* seen, MessageDifferencer* differencer) {
  if (std::find(seen->begin(), seen->end(), message) != seen->end()) return;
  seen->push_back(message);
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* field = message->field(i);
    const bool follows_epochs = options.epoch_tolerance > 0 && CountsFrames(*field);
    const ComparisonRule rule = RuleOf(*field);
    const bool left_out = rule == ComparisonRule::kLeftOut || follows_epochs;
    if (rule == ComparisonRule::kWords || (!options.exact && left_out)) {
      differencer->IgnoreField(field);
    }
    if (!IsMessage(*field)) continue;
    SetRules(field->message_type(), options, seen, differencer);
    if (!field->is_repeated()) continue;
    std::vector<std::vector<const FieldDescriptor*>> key;
    for (const std::vector<std::string>& path : KeyOf(*field->message_type())) {
      key.emplace_back();
      const Descriptor* holder = field->message_type();
      for (const std::string& name : path) {
        key.back().push_back(holder->FindFieldByName(name));
        holder = key.back().back()->message_type();
      }
    }
    if (!key.empty()) differencer->TreatAsMapWithMultipleFieldPathsAsKey(field, key);
  }
}

// The largest distance of two fitted curves over the epochs for which both edges were trained.
void CompareFits(const EdgeOutcome& a, const EdgeOutcome& b, const std::string& pool,
                 const ComparisonOptions& options, std::vector<Difference>* differences) {
  if (!a.has_knee() || !b.has_knee()) return;
  double largest = 0;
  int at = 0;
  for (int epoch = 0; epoch < std::min(a.curve_size(), b.curve_size()); ++epoch) {
    const double distance = std::fabs(FittedValue(a.knee(), epoch) - FittedValue(b.knee(), epoch));
    if (distance > largest) largest = distance, at = epoch;
  }
  if (largest <= options.share_tolerance) return;
  differences->push_back(
      {absl::StrCat("search '", pool, "' > edge ", a.from(), "->", a.to(), " > fitted curve"),
       absl::StrFormat("%.4f", FittedValue(a.knee(), at)),
       absl::StrFormat("%.4f", FittedValue(b.knee(), at)),
       absl::StrFormat("at epoch %d; differs by %.4g, allowed %.4g", at, largest,
                       options.share_tolerance)});
}

void CompareAllFits(const RunRecord& a, const RunRecord& b, const ComparisonOptions& options,
                    std::vector<Difference>* differences) {
  for (const SearchOutcome& search : a.searches()) {
    for (const SearchOutcome& other : b.searches()) {
      if (search.graph().pool() != other.graph().pool()) continue;
      for (const EdgeOutcome& edge : search.edges()) {
        for (const EdgeOutcome& twin : other.edges()) {
          if (edge.from() != twin.from() || edge.to() != twin.to()) continue;
          CompareFits(edge, twin, search.graph().pool(), options, differences);
        }
      }
    }
  }
}

int64_t CountValues(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  int64_t count = 0;
  for (const FieldDescriptor* field : fields) {
    const int size = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      count += IsMessage(*field) ? CountValues(MessageAt(message, *field, i)) : 1;
    }
  }
  return count;
}

}  // namespace

std::vector<Difference> CompareRecords(const RunRecord& a, const RunRecord& b,
                                       const ComparisonOptions& options) {
  RunRecord left = CanonicalRecord(a), right = CanonicalRecord(b);
  if (left.compact() || right.compact()) {
    left = ExpandRecord(CompactRecord(std::move(left)));
    right = ExpandRecord(CompactRecord(std::move(right)));
  }
  MessageDifferencer differencer;
  RuleComparator comparator(options);
  DifferenceList list(left, right, options);
  std::vector<const Descriptor*> seen;
  SetRules(RunRecord::descriptor(), options, &seen, &differencer);
  differencer.set_field_comparator(&comparator);
  differencer.set_report_moves(true);
  differencer.ReportDifferencesTo(&list);
  differencer.Compare(left, right);
  if (!options.exact) CompareAllFits(left, right, options, &list.differences);
  return std::move(list.differences);
}

int64_t CountFields(const RunRecord& record) { return CountValues(CanonicalRecord(record)); }

}  // namespace op3d::results
