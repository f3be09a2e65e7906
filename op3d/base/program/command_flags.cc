#include "op3d/base/program/command_flags.h"

#include <algorithm>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/program/program.h"

namespace op3d {
namespace {

bool Contains(const std::vector<std::string>& words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::vector<std::string> FlagTakers(absl::string_view help,
                                    const std::vector<std::string>& commands) {
  std::vector<std::string> takers;
  for (const absl::string_view sentence : absl::StrSplit(help, absl::ByAnyChar(".;"))) {
    const size_t colon = sentence.find(':');
    if (colon == absl::string_view::npos) continue;
    std::vector<std::string> names;
    for (const absl::string_view part : absl::StrSplit(sentence.substr(0, colon), ',')) {
      const absl::string_view text = absl::StripAsciiWhitespace(part);
      names.emplace_back(text.substr(0, text.find(' ')));
    }
    const bool all = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return Contains(commands, name);
    });
    if (!all) continue;
    for (std::string& name : names) {
      if (!Contains(takers, name)) takers.push_back(std::move(name));
    }
  }
  return takers;
}

absl::Status RefuseForeignFlags(absl::string_view program, absl::string_view command,
                                const std::vector<std::string>& commands) {
  // An unknown word is refused by code that can say more about it.
  if (!Contains(commands, command)) return absl::OkStatus();
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    const std::vector<std::string> takers = FlagTakers(flag->Help(), commands);
    if (takers.empty() || Contains(takers, command)) continue;
    if (!FlagIsGiven(name) && flag->CurrentValue() == flag->DefaultValue()) continue;
    return absl::InvalidArgumentError(absl::StrCat("--", name, " is not a flag of ", program, " ",
                                                   command, ", but of: ",
                                                   absl::StrJoin(takers, ", "), "; see --help"));
  }
  return absl::OkStatus();
}

}  // namespace op3d
