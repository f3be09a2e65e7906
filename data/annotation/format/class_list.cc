#include "data/annotation/format/class_list.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/annotation/text/json_items.h"
#include "data/annotation/text/list_text.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kExpected[] = "a class a line, 'number Class' from 1, or a JSON {class: number}";

// Whether line i reads "`first` + i ...".
bool IsNumbered(const std::vector<ListLine>& lines, int64_t first) {
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::string_view rest = lines[i].text;
    if (!absl::ConsumePrefix(&rest, absl::StrCat(first + static_cast<int64_t>(i))) ||
        rest.empty() || !absl::ascii_isspace(rest[0])) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<std::vector<std::string>> ParseLines(absl::string_view text,
                                                    absl::string_view source) {
  const std::vector<ListLine> lines = ListLines(text);
  const bool numbered = IsNumbered(lines, 1) || IsNumbered(lines, 0);
  std::vector<std::string> classes;
  UniqueNames names;
  for (const ListLine& line : lines) {
    absl::string_view name = line.text;
    if (numbered) {
      while (!absl::ascii_isspace(name[0])) name.remove_prefix(1);
      name = absl::StripAsciiWhitespace(name);
    }
    if (absl::Status status = names.Add(name, source, line, kExpected); !status.ok()) {
      return ListError(source, line, absl::StrCat("the class '", name, "' twice"), kExpected);
    }
    classes.emplace_back(name);
  }
  return classes;
}

absl::StatusOr<std::vector<std::string>> ParseJson(absl::string_view text,
                                                   absl::string_view source) {
  std::map<int64_t, std::string> by_number;
  absl::flat_hash_set<std::string> names;
  OP3D_RETURN_IF_ERROR(ForEachJsonItem(text, source, 1, [&](const JsonItem& item) -> absl::Status {
    int64_t number;
    if (!absl::SimpleAtoi(JsonText(item.value), &number) || number < 0) {
      return JsonItemError(source, item, absl::StrCat("no number for '", item.keys[0], "'"),
                           kExpected);
    }
    if (item.keys[0].empty()) {
      return JsonItemError(source, item, "a class without a name", kExpected);
    }
    if (!names.insert(item.keys[0]).second || !by_number.emplace(number, item.keys[0]).second) {
      return JsonItemError(source, item,
                           absl::StrCat("the class '", item.keys[0], "' or its number twice"),
                           kExpected);
    }
    return absl::OkStatus();
  }));
  std::vector<std::string> classes;
  for (const auto& [number, name] : by_number) {
    if (number != static_cast<int64_t>(classes.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ": no class has the number ", classes.size(), ", but '", name,
                       "' has ", number, "; numbers must be 0 to ", by_number.size() - 1));
    }
    classes.push_back(name);
  }
  return classes;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseClassList(absl::string_view text,
                                                        absl::string_view source) {
  const bool json =
      absl::StartsWith(absl::StripLeadingAsciiWhitespace(WithoutByteOrderMark(text)), "{");
  OP3D_ASSIGN_OR_RETURN(std::vector<std::string> classes,
                        json ? ParseJson(text, source) : ParseLines(text, source));
  if (classes.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": no class in it; expected ", kExpected));
  }
  return classes;
}

}  // namespace op3d::data
