#include "op3d/base/textproto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// How deep similar names are searched, and how many are shown.
constexpr int kDeepestNear = 5;
constexpr size_t kShownNear = 3;

constexpr char kEnding[] = ".textproto";
constexpr char kBase[] = "base";

// Keeps the first error, because later ones are its consequences.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty()) text = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string text;
};

std::string FieldNames(const Descriptor& descriptor) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor.field_count(); ++i) names.push_back(descriptor.field(i)->name());
  return absl::StrJoin(names, ", ");
}

// One part of a path: "steps", "steps[2]" or "recipes[planned]".
struct PathStep {
  std::string name;
  std::optional<std::string> element;
};

// "a[x=y].b" and "1=2" for "a[x=y].b=1=2": the text in brackets is a name.
bool SplitAssignment(absl::string_view assignment, absl::string_view* path,
                     absl::string_view* value) {
  bool inside = false;
  for (size_t i = 0; i < assignment.size(); ++i) {
    if (assignment[i] == '[') inside = true;
    if (assignment[i] == ']') inside = false;
    if (assignment[i] != '=' || inside) continue;
    *path = assignment.substr(0, i);
    *value = assignment.substr(i + 1);
    return i > 0;
  }
  return false;
}

absl::StatusOr<std::vector<PathStep>> ParsePath(absl::string_view path) {
  std::vector<PathStep> steps(1);
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '.') {
      steps.emplace_back();
    } else if (path[i] != '[') {
      steps.back().name += path[i];
    } else {
      const size_t end = path.find(']', i);
      const bool whole = end != absl::string_view::npos && end > i + 1 &&
                         (end + 1 == path.size() || path[end + 1] == '.');
      if (!whole || steps.back().name.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "'", path, "': an element of a list is written list[0] or list[its name]"));
      }
      steps.back().element = std::string(path.substr(i + 1, end - i - 1));
      i = end;
    }
  }
  return steps;
}

const std::string* StringField(const Message& message, const char* name, std::string* scratch) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return nullptr;
  }
  return &message.GetReflection()->GetStringReference(message, field, scratch);
}

// The name of an element of a list: its own name or pool, or its state's name.
std::string NameOfElement(const Message& element) {
  std::string scratch;
  for (const char* name : {"name", "pool"}) {
    const std::string* text = StringField(element, name, &scratch);
    if (text != nullptr && !text->empty()) return *text;
  }
  const FieldDescriptor* state = element.GetDescriptor()->FindFieldByName("state");
  if (state == nullptr || state->is_repeated() ||
      state->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
      !element.GetReflection()->HasField(element, state)) {
    return "";
  }
  return NameOfElement(element.GetReflection()->GetMessage(element, state));
}

// The names of a list's elements; their numbers if they have no names.
std::vector<std::string> ElementNames(const Message& holder, const FieldDescriptor* field) {
  std::vector<std::string> names;
  for (int i = 0; i < holder.GetReflection()->FieldSize(holder, field); ++i) {
    std::string name;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      name = NameOfElement(holder.GetReflection()->GetRepeatedMessage(holder, field, i));
    }
    names.push_back(name.empty() ? absl::StrCat(i) : std::move(name));
  }
  return names;
}

// The number of different letters (Levenshtein distance).
size_t Difference(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, corner + 1});
    }
  }
  return row[b.size()];
}

// Paths below `message` whose last name is `name` or similar, with the distance.
using NearPaths = std::vector<std::pair<size_t, std::string>>;
void FindNear(const Message& message, absl::string_view name, const std::string& prefix, int depth,
              NearPaths* near) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const Descriptor& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor* field = descriptor.field(i);
    const std::string path = absl::StrCat(prefix, field->name());
    const size_t difference = Difference(name, field->name());
    if (difference <= name.size() / 3) near->emplace_back(difference, path);
    if (depth == 0 || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      FindNear(reflection.GetMessage(message, field), name, path + ".", depth - 1, near);
      continue;
    }
    const std::vector<std::string> names = ElementNames(message, field);
    for (size_t k = 0; k < names.size(); ++k) {
      FindNear(reflection.GetRepeatedMessage(message, field, static_cast<int>(k)), name,
               absl::StrCat(path, "[", names[k], "]."), depth - 1, near);
    }
  }
}

// "; is inner.rate meant?", or nothing.
std::string DidYouMean(const Message& root, absl::string_view name) {
  NearPaths near;
  FindNear(root, name, "", kDeepestNear, &near);
  std::sort(near.begin(), near.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.first, a.second.size(), a.second) <
           std::make_tuple(b.first, b.second.size(), b.second);
  });
  if (near.size() > kShownNear) near.resize(kShownNear);
  if (near.empty()) return "";
  return absl::StrCat(
      "; is ",
      absl::StrJoin(near, " or ",
                    [](std::string* out, const auto& one) { absl::StrAppend(out, one.second); }),
      " meant?");
}

// The field of `*holder` with that name; or a field of the message set in its oneof, which then
// becomes `*holder`: a path need not say which kind a recipe is.
absl::StatusOr<const FieldDescriptor*> FindField(const std::string& name, absl::string_view path,
                                                 const Message& root, Message** holder) {
  const Descriptor& descriptor = *(*holder)->GetDescriptor();
  const FieldDescriptor* field = descriptor.FindFieldByName(name);
  if (field != nullptr) return field;
  const google::protobuf::Reflection& reflection = *(*holder)->GetReflection();
  for (int i = 0; i < descriptor.real_oneof_decl_count(); ++i) {
    const FieldDescriptor* kind =
        reflection.GetOneofFieldDescriptor(**holder, descriptor.oneof_decl(i));
    if (kind == nullptr || kind->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    field = kind->message_type()->FindFieldByName(name);
    if (field == nullptr) continue;
    *holder = reflection.MutableMessage(*holder, kind);
    return field;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "': ", descriptor.name(), " has no field '", name, "'",
                   DidYouMean(root, name), "; it has: ", FieldNames(descriptor)));
}

// The index of the step's element in its list.
absl::StatusOr<int> FindElement(const PathStep& step, const FieldDescriptor* field,
                                absl::string_view path, const Message& holder) {
  const std::vector<std::string> names = ElementNames(holder, field);
  const auto named = std::find(names.begin(), names.end(), *step.element);
  if (named != names.end() && std::find(named + 1, names.end(), *step.element) == names.end()) {
    return static_cast<int>(named - names.begin());
  }
  int32_t index = 0;
  if (absl::SimpleAtoi(*step.element, &index) && index >= 0 &&
      index < static_cast<int64_t>(names.size())) {
    return index;
  }
  const bool twice = named != names.end();
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "': ", twice ? "several elements" : "no element", " of '", step.name,
                   "' ", twice ? "are" : "is", " called '", *step.element, "'",
                   names.empty() ? "; the list is empty"
                                 : absl::StrCat("; it has ", absl::StrJoin(names, ", "),
                                                ", or by number 0 to ", names.size() - 1)));
}

// The message to which the step leads.
absl::StatusOr<Message*> GoInto(const PathStep& step, const FieldDescriptor* field,
                                absl::string_view path, Message* holder) {
  const google::protobuf::Reflection& reflection = *holder->GetReflection();
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
      (step.element.has_value() && !field->is_repeated())) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "': '", step.name, "' holds ",
                     step.element.has_value() && !field->is_repeated() ? "no list" : "no message",
                     " to go into"));
  }
  if (!field->is_repeated()) return reflection.MutableMessage(holder, field);
  if (!step.element.has_value()) {
    const std::vector<std::string> names = ElementNames(*holder, field);
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path, "': '", step.name, "' is a list: name an element, as ", step.name, "[",
        names.empty() ? "0" : names[0], "]",
        names.empty() ? "; it is empty" : absl::StrCat("; it has ", absl::StrJoin(names, ", "))));
  }
  OP3D_ASSIGN_OR_RETURN(const int index, FindElement(step, field, path, *holder));
  return reflection.MutableRepeatedMessage(holder, field, index);
}

// A name in capitals, without the part that repeats its enum: "PLANNED" of PLANNED_METHOD, "BOTH"
// of BOTH_METHODS.
std::string EnumWord(absl::string_view name, const google::protobuf::EnumDescriptor& type) {
  const std::string word = absl::AsciiStrToUpper(name), of = absl::AsciiStrToUpper(type.name());
  absl::string_view rest = word;
  if (!absl::ConsumeSuffix(&rest, absl::StrCat("_", of)) &&
      !absl::ConsumeSuffix(&rest, absl::StrCat("_", of, "S"))) {
    absl::ConsumePrefix(&rest, absl::StrCat(of, "_"));
  }
  return std::string(rest);
}

// A value of an enum by its name, in any case, with or without the enum's own name: flags
// and settings accept the same words.  Null if there is none.
const google::protobuf::EnumValueDescriptor* FindEnumValue(
    absl::string_view name, const google::protobuf::EnumDescriptor& type) {
  for (int i = 0; i < type.value_count(); ++i) {
    if (EnumWord(name, type) == EnumWord(type.value(i)->name(), type)) return type.value(i);
  }
  return nullptr;
}

std::string EnumNames(const google::protobuf::EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (!absl::EndsWith(type.value(i)->name(), "_UNSPECIFIED")) {
      names.push_back(type.value(i)->name());
    }
  }
  return absl::StrJoin(names, ", ");
}

// Sets the field, or the step's element of it.
absl::Status SetValue(const PathStep& step, const FieldDescriptor* field, absl::string_view value,
                      absl::string_view assignment, Message* holder) {
  const google::protobuf::Reflection& reflection = *holder->GetReflection();
  int index = -1;
  if (step.element.has_value()) {
    if (!field->is_repeated()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", assignment, "': '", step.name, "' is not a list"));
    }
    OP3D_ASSIGN_OR_RETURN(index, FindElement(step, field, assignment, *holder));
  } else {
    reflection.ClearField(holder, field);
  }
  const bool quoted = !value.empty() && (value[0] == '"' || value[0] == '\'');
  const bool is_list = field->is_repeated() && index < 0 && absl::StartsWith(value, "[");
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !quoted && !is_list) {
    if (field->is_repeated()) {
      reflection.AddString(holder, field, std::string(value));
    } else {
      reflection.SetString(holder, field, std::string(value));
    }
  } else {
    std::string text(value);
    int32_t number = 0;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM && !is_list &&
        !absl::SimpleAtoi(value, &number)) {
      const auto* found = FindEnumValue(value, *field->enum_type());
      if (found == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat(
            "'", assignment, "': '", value, "' is none of: ", EnumNames(*field->enum_type())));
      }
      text = found->name();
    }
    FirstError error;
    TextFormat::Parser parser;
    parser.RecordErrorsTo(&error);
    if (!parser.MergeFromString(absl::StrCat(field->name(), ": ", text), holder)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", assignment, "': ", error.text.substr(error.text.rfind(": ") + 2)));
    }
  }
  if (index < 0) return absl::OkStatus();
  // The new element is the last one; move it to the place of the old one.
  const int last = reflection.FieldSize(*holder, field) - 1;
  reflection.SwapElements(holder, field, index, last);
  reflection.RemoveLast(holder, field);
  return absl::OkStatus();
}

// `named`: receives the fields that the text sets; may be null.
absl::Status Parse(absl::string_view text, absl::string_view source,
                   TextFormat::ParseInfoTree* named, Message* message) {
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(named);
  if (!parser.ParseFromString(std::string(text), message)) {
    return absl::InvalidArgumentError(absl::StrCat(source, ":", error.text));
  }
  return absl::OkStatus();
}

// Clears the lists and single values of `to` that a text sets, so that a merge replaces them, also
// with 0, which a merge alone ignores.
void ClearNamed(const TextFormat::ParseInfoTree& named, Message* to) {
  const Descriptor& descriptor = *to->GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor* field = descriptor.field(i);
    if (named.GetLocation(field, field->is_repeated() ? 0 : -1).line < 0) continue;
    const TextFormat::ParseInfoTree* inner =
        field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE
            ? nullptr
            : named.GetTreeForNested(field, -1);
    if (inner != nullptr) {
      ClearNamed(*inner, to->GetReflection()->MutableMessage(to, field));
    } else {
      to->GetReflection()->ClearField(to, field);
    }
  }
}

// The file that `path` names as its base; "" = none.
absl::StatusOr<std::string> BaseOf(const std::string& path, const std::string& shipped_folder,
                                   const Message& file) {
  std::string scratch;
  const std::string* base = StringField(file, kBase, &scratch);
  if (base == nullptr || base->empty()) return std::string();
  if (!IsTextprotoName(*base)) {
    const std::string other =
        (std::filesystem::path(path).parent_path() / *base).lexically_normal().string();
    if (FileExists(other)) return other;
    return absl::NotFoundError(
        absl::StrCat(path, ": base: there is no file ", other,
                     "; the path is relative to the folder of the file that names it"));
  }
  absl::StatusOr<std::string> shipped = FindTextproto(shipped_folder, *base, "base");
  if (shipped.ok()) return shipped;
  return absl::Status(shipped.status().code(),
                      absl::StrCat(path, ": base: ", shipped.status().message(),
                                   ". A file of yours is given with its ending ", kEnding));
}

}  // namespace

absl::Status ParseTextproto(absl::string_view text, absl::string_view source, Message* message) {
  return Parse(text, source, /*named=*/nullptr, message);
}

absl::Status ReadTextproto(const std::string& path, Message* message) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseTextproto(text, path, message);
}

absl::Status OverlayTextproto(const std::string& path, const std::string& shipped_folder,
                              Message* message) {
  struct File {
    std::string text, path;
  };
  // From the file itself to the last base.
  std::vector<File> files;
  std::string next = path;
  const std::unique_ptr<Message> file(message->New());
  while (!next.empty()) {
    for (const File& other : files) {
      std::error_code ignored;
      if (!std::filesystem::equivalent(other.path, next, ignored)) continue;
      const auto append = [](std::string* out, const File& one) { absl::StrAppend(out, one.path); };
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": base: a circle, ", absl::StrJoin(files, " -> ", append), " -> ", next,
                       "; take the base out of one of them"));
    }
    OP3D_ASSIGN_OR_RETURN(std::string text, ReadFile(next));
    OP3D_RETURN_IF_ERROR(ParseTextproto(text, next, file.get()));
    files.push_back({std::move(text), next});
    OP3D_ASSIGN_OR_RETURN(next, BaseOf(files.back().path, shipped_folder, *file));
  }
  for (auto one = files.rbegin(); one != files.rend(); ++one) {
    TextFormat::ParseInfoTree named;
    OP3D_RETURN_IF_ERROR(Parse(one->text, one->path, &named, file.get()));
    ClearNamed(named, message);
    message->MergeFrom(*file);
  }
  const FieldDescriptor* base = message->GetDescriptor()->FindFieldByName(kBase);
  if (base != nullptr) message->GetReflection()->ClearField(message, base);
  return absl::OkStatus();
}

absl::StatusOr<std::string> FindTextproto(const std::string& folder, absl::string_view name,
                                          absl::string_view what) {
  std::string path = JoinPath(folder, absl::StrCat(name, kEnding));
  if (IsTextprotoName(name) && FileExists(path)) return path;
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFolder(folder));
  std::vector<absl::string_view> names;
  for (absl::string_view file : files) {
    if (absl::ConsumeSuffix(&file, kEnding)) names.push_back(file);
  }
  return absl::NotFoundError(absl::StrCat("there is no ", what, " '", name, "'; there are ",
                                          absl::StrJoin(names, ", ")));
}

bool IsTextprotoName(absl::string_view name) {
  return !name.empty() && !absl::StrContains(name, '/') && !absl::EndsWith(name, kEnding);
}

std::string PrintTextproto(const Message& message) {
  TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

absl::Status WriteTextproto(const std::string& path, const Message& message) {
  return WriteFileAtomically(path, PrintTextproto(message));
}

absl::Status SetField(absl::string_view assignment, Message* message) {
  absl::string_view path, value;
  if (!SplitAssignment(assignment, &path, &value)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", assignment, "' is not a setting: write path.to.field=value"));
  }
  OP3D_ASSIGN_OR_RETURN(const std::vector<PathStep> steps, ParsePath(path));
  Message* holder = message;
  for (size_t i = 0;; ++i) {
    const PathStep& step = steps[i];
    OP3D_ASSIGN_OR_RETURN(const FieldDescriptor* const field,
                          FindField(step.name, path, *message, &holder));
    if (i + 1 == steps.size()) return SetValue(step, field, value, assignment, holder);
    OP3D_ASSIGN_OR_RETURN(holder, GoInto(step, field, path, holder));
  }
}

}  // namespace op3d
