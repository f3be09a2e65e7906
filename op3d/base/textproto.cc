#include "op3d/base/textproto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// Keeps the first error: later ones are its consequences.
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

}  // namespace

absl::Status ParseTextproto(absl::string_view text, absl::string_view source, Message* message) {
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), message)) {
    return absl::InvalidArgumentError(absl::StrCat(source, ":", error.text));
  }
  return absl::OkStatus();
}

absl::Status ReadTextproto(const std::string& path, Message* message) {
  OP3D_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseTextproto(text, path, message);
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
  const std::vector<std::string> sides = absl::StrSplit(assignment, absl::MaxSplits('=', 1));
  if (sides.size() != 2 || sides[0].empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", assignment, "' is no setting: write path.to.field=value"));
  }
  const std::vector<std::string> path = absl::StrSplit(sides[0], '.');
  Message* holder = message;
  const FieldDescriptor* field = nullptr;
  for (size_t i = 0; i < path.size(); ++i) {
    const Descriptor& descriptor = *holder->GetDescriptor();
    field = descriptor.FindFieldByName(path[i]);
    if (field == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("'", sides[0], "': ", descriptor.name(),
                                                     " has no field '", path[i],
                                                     "'; it has: ", FieldNames(descriptor)));
    }
    if (i + 1 == path.size()) break;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_repeated()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", sides[0], "': '", path[i], "' holds no single message to go into"));
    }
    holder = holder->GetReflection()->MutableMessage(holder, field);
  }
  holder->GetReflection()->ClearField(holder, field);
  std::string value = sides[1];
  const bool bare_string = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
                           !field->is_repeated() &&
                           (value.empty() || (value[0] != '"' && value[0] != '\''));
  if (bare_string) {
    holder->GetReflection()->SetString(holder, field, value);
    return absl::OkStatus();
  }
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.MergeFromString(absl::StrCat(field->name(), ": ", value), holder)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", assignment, "': ", error.text.substr(error.text.rfind(": ") + 2)));
  }
  return absl::OkStatus();
}

}  // namespace op3d
