#include "op3d/base/program/program.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/program/renamed_flag.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d {

namespace {

bool Contains(const std::vector<std::string>& words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Abseil's own --help ends the process with 1, but asking for help is not an error.  Prints the
// flags of `command`, one of `commands`, or all of them if it is empty.
void PrintHelp(absl::string_view program, absl::string_view usage, absl::string_view command,
               const std::vector<std::string>& commands) {
  std::string text = absl::StrCat(program, ": ", usage, "\n\nFlags", command.empty() ? "" : " of ",
                                  command, ":\n");
  std::map<std::string, const absl::CommandLineFlag*> flags;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    // The flags of the program's own file; libraries define none that a user should set.
    const bool own = !absl::StrContains(flag->Filename(), "absl/");
    if (!own || flag->IsOfType<RenamedFlag>()) continue;
    const std::vector<std::string> takers = FlagTakers(flag->Help(), commands);
    const bool taken = command.empty() || takers.empty() || Contains(takers, command);
    if (taken) flags[std::string(name)] = flag;
  }
  for (const auto& [name, flag] : flags) {
    absl::StrAppend(&text, "  --", name, "  ", flag->Help());
    const std::string value = flag->DefaultValue();
    absl::StrAppend(&text, value.empty() ? "" : absl::StrCat("; default: ", value), "\n");
  }
  std::fputs(text.c_str(), stdout);
}

// The names of the flags on the command line.
std::set<std::string, std::less<>>* GivenFlags() {
  static auto* names = new std::set<std::string, std::less<>>;
  return names;
}

bool AsksForHelp(absl::Span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--help" || argument == "-help" || argument == "-h") return true;
  }
  return false;
}

int RunNamed(int argc, char** argv, absl::string_view usage,
             const std::vector<std::string>& commands,
             absl::FunctionRef<absl::Status(absl::Span<const std::string> words)> run) {
  const std::string program = std::filesystem::path(argv[0]).filename().string();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (AsksForHelp(arguments)) {
    const auto command =
        std::find_first_of(arguments.begin(), arguments.end(), commands.begin(), commands.end());
    PrintHelp(program, usage, command == arguments.end() ? "" : *command, commands);
    return 0;
  }
  // Abseil takes it once a process.
  static const bool has_usage = (absl::SetProgramUsageMessage(usage), true);
  (void)has_usage;
  GivenFlags()->clear();
  absl::Status status = CheckFlags(arguments);
  if (status.ok()) {
    const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
    InstallInterruptHandler();
    status = run(std::vector<std::string>(rest.begin() + 1, rest.end()));
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), std::string(status.message()).c_str());
  }
  return ExitCode(status);
}

}  // namespace

bool FlagIsGiven(absl::string_view name) { return GivenFlags()->count(name) > 0; }

absl::Status CheckFlags(absl::Span<const std::string> arguments) {
  // Abseil ends the process with 1 on a wrong flag; here wrong use is 2, so check first.
  for (const absl::string_view argument : arguments) {
    if (argument == "--") break;
    if (argument.size() < 2 || argument[0] != '-') continue;
    absl::string_view name = argument.substr(argument[1] == '-' ? 2 : 1);
    const size_t equals = name.find('=');
    const bool has_value = equals != absl::string_view::npos;
    const absl::string_view value = has_value ? name.substr(equals + 1) : "";
    name = name.substr(0, equals);
    absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    if (flag == nullptr && absl::StartsWith(name, "no")) {
      flag = absl::FindCommandLineFlag(name.substr(2));
      if (flag != nullptr && !flag->IsOfType<bool>()) flag = nullptr;
    }
    if (flag == nullptr) {
      const bool is_file = absl::StrContains(name, '.') || FileExists(UserPath(argument));
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown flag ", is_file ? argument : absl::StrCat("--", name), "; see --help",
          is_file ? absl::StrCat("; a file whose name starts with a dash is given as ./", argument,
                                 ", or after all flags and a --")
                  : ""));
    }
    if (flag->IsOfType<RenamedFlag>()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " is called ", flag->DefaultValue(), " now; see --help"));
    }
    GivenFlags()->emplace(flag->Name());
    std::string error;
    if (has_value && !flag->ParseFrom(value, &error)) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, "=", value, " does not parse",
                                                     error.empty() ? "" : ": ", error,
                                                     "; see --help"));
    }
  }
  return absl::OkStatus();
}

absl::Status RefuseWords(absl::Span<const std::string> words) {
  if (words.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("'", words[0], "' is not a flag; see --help"));
}

absl::Status PartlyDone(int64_t failed, int64_t asked, const absl::Status& failure,
                        absl::string_view things) {
  if (failed == 0) return absl::OkStatus();
  if (asked == 1) return failure;
  const std::string message =
      absl::StrCat(failed, " of ", asked, " ", things, "; see the errors above");
  return failed == asked ? absl::Status(failure.code(), message) : absl::AbortedError(message);
}

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
    const bool all = std::all_of(names.begin(), names.end(),
                                 [&](const std::string& name) { return Contains(commands, name); });
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
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, " is not a flag of ", program, " ", command,
                     ", but of: ", absl::StrJoin(takers, ", "), "; see --help"));
  }
  return absl::OkStatus();
}

absl::Status RequireWords(absl::Span<const std::string> words, size_t count,
                          absl::string_view usage) {
  if (words.size() == count) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("use: ", usage));
}

int RunProgram(int argc, char** argv, absl::string_view usage,
               absl::FunctionRef<absl::Status(absl::Span<const std::string> words)> run) {
  return RunNamed(argc, argv, usage, {}, run);
}

int RunCommands(int argc, char** argv, absl::string_view usage,
                const std::vector<Command>& commands) {
  const std::string program = std::filesystem::path(argv[0]).filename().string();
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  const std::string all = absl::StrCat("; there are ", absl::StrJoin(names, ", "), "; see --help");
  const auto run = [&](absl::Span<const std::string> words) -> absl::Status {
    if (words.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("a sub-command is missing", all));
    }
    OP3D_RETURN_IF_ERROR(RefuseForeignFlags(program, words[0], names));
    for (const Command& command : commands) {
      if (command.name == words[0]) return command.run(words.subspan(1));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("there is no sub-command \"", words[0], "\"", all));
  };
  return RunNamed(argc, argv, usage, names, run);
}

}  // namespace op3d
