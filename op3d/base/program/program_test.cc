#include "op3d/base/program/program.h"

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/program/renamed_flag.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"

ABSL_FLAG(int, program_test_number, 1, "a number");
ABSL_FLAG(bool, program_test_switch, false, "a switch");
ABSL_FLAG(op3d::RenamedFlag, program_test_old, {"--program_test_number"}, "");
ABSL_FLAG(int, test_jobs, 1, "search, resume: edges at once");
ABSL_FLAG(int, test_seed, 1, "clip: of the crop; synthesize: of the videos");
ABSL_FLAG(int, test_threads, 0, "videos at the same time; 0 = all");

namespace op3d {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

int RunWith(std::vector<std::string> arguments, absl::Status result) {
  std::vector<char*> argv;
  arguments.insert(arguments.begin(), "/bin/program");
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return RunProgram(static_cast<int>(arguments.size()), argv.data(), "usage",
                    [&](absl::Span<const std::string> words) {
                      if (!words.empty() && words[0] == "echo") {
                        return absl::InternalError(words.back());
                      }
                      return result;
                    });
}

TEST(ProgramTest, WrongFlagsAreSentences) {
  EXPECT_THAT(CheckFlags({"--program_test_number=2", "--noprogram_test_switch", "word"}), IsOk());
  EXPECT_THAT(CheckFlags({"--program_test_nmber=2"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--program_test_nmber")));
  EXPECT_THAT(CheckFlags({"--program_test_number=two"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("=two does not parse")));
  EXPECT_THAT(CheckFlags({"--", "--anything"}), IsOk());
}

TEST(ProgramTest, AnOldNameIsToldTheNewOne) {
  for (const char* argument : {"--program_test_old=2", "--program_test_old"}) {
    EXPECT_THAT(CheckFlags({argument, "2"}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("--program_test_old is called --program_test_number now")));
  }
}

TEST(ProgramTest, AFileThatStartsWithADashIsNoFlag) {
  for (const char* file : {"-3B32lodo2M_000059_000069.mp4", "--7VUM9MKg4_000136_000146.mp4"}) {
    EXPECT_THAT(CheckFlags({file}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::AllOf(HasSubstr(absl::StrCat("unknown flag ", file)),
                                        HasSubstr(absl::StrCat("./", file)), HasSubstr("a --"))));
    EXPECT_THAT(CheckFlags({"--", file}), IsOk());
    EXPECT_THAT(CheckFlags({absl::StrCat("./", file)}), IsOk());
  }
  EXPECT_THAT(CheckFlags({"--nothing"}),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::Not(HasSubstr("./"))));
}

TEST(ProgramTest, DoneForSomeIsOne) {
  const absl::Status failure = absl::NotFoundError("no b.mp4");
  EXPECT_THAT(PartlyDone(0, 3, absl::OkStatus(), "inputs failed"), IsOk());
  EXPECT_EQ(PartlyDone(1, 1, failure, "inputs failed"), failure);
  EXPECT_EQ(ExitCode(PartlyDone(3, 3, failure, "inputs failed")), 2);
  EXPECT_EQ(ExitCode(PartlyDone(1, 3, failure, "inputs failed")), 1);
  EXPECT_EQ(PartlyDone(1, 3, failure, "inputs failed").message(),
            "1 of 3 inputs failed; see the errors above");
}

TEST(ProgramTest, WordsAreRefusedByName) {
  EXPECT_THAT(RefuseWords({}), IsOk());
  EXPECT_THAT(RefuseWords({"seed=2"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'seed=2' is not a flag")));
}

TEST(ProgramTest, HelpIsNoMistake) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunWith({"--help"}, absl::InternalError("not run")), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::AllOf(HasSubstr("program: usage"),
                             HasSubstr("--program_test_number  a number; default: 1"),
                             testing::Not(HasSubstr("--program_test_old"))));
}

const std::vector<std::string>& Commands() {
  static const auto* commands =
      new std::vector<std::string>{"search", "resume", "clip", "synthesize", "show"};
  return *commands;
}

TEST(ProgramTest, HelpSaysWhoTakesAFlag) {
  EXPECT_THAT(FlagTakers("search, resume: edges at once", Commands()),
              ElementsAre("search", "resume"));
  EXPECT_THAT(FlagTakers("clip: of the crop; synthesize: of the videos", Commands()),
              ElementsAre("clip", "synthesize"));
  EXPECT_THAT(FlagTakers("clip: 0 = 224.  search --race: of the interval", Commands()),
              ElementsAre("clip", "search"));
  EXPECT_THAT(FlagTakers("videos at the same time: 0 = all", Commands()), IsEmpty());
  EXPECT_THAT(FlagTakers("", Commands()), IsEmpty());
}

TEST(ProgramTest, AFlagOfAnotherCommandIsRefusedByName) {
  const absl::FlagSaver saver;
  EXPECT_THAT(RefuseForeignFlags("plan", "show", Commands()), IsOk());
  absl::SetFlag(&FLAGS_test_threads, 3);
  EXPECT_THAT(RefuseForeignFlags("plan", "show", Commands()), IsOk());
  absl::SetFlag(&FLAGS_test_jobs, 4);
  EXPECT_THAT(RefuseForeignFlags("plan", "search", Commands()), IsOk());
  EXPECT_THAT(
      RefuseForeignFlags("plan", "show", Commands()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("--test_jobs is not a flag of plan show, but of: search, resume")));
  EXPECT_THAT(RefuseForeignFlags("plan", "dance", Commands()), IsOk());
  // Even with its default value it has no effect.
  EXPECT_THAT(RefuseForeignFlags("plan", "search", Commands()), IsOk());
  ASSERT_THAT(CheckFlags({"--test_threads=0", "--test_seed=1"}), IsOk());
  EXPECT_THAT(
      RefuseForeignFlags("plan", "clip", Commands()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--test_jobs is not a flag of")));
  EXPECT_THAT(
      RefuseForeignFlags("plan", "search", Commands()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("--test_seed is not a flag of plan search, but of: clip, synthesize")));
}

int RunCommandsWith(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  arguments.insert(arguments.begin(), "/bin/program");
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return RunCommands(static_cast<int>(arguments.size()), argv.data(), "usage",
                     {{"search", [](absl::Span<const std::string>) { return absl::OkStatus(); }},
                      {"resume", [](absl::Span<const std::string>) { return absl::OkStatus(); }},
                      {"show", [](absl::Span<const std::string> words) {
                         return RequireWords(words, 1, "program show FILE");
                       }}});
}

TEST(ProgramTest, HelpOfACommandShowsItsFlags) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunCommandsWith({"show", "--help"}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::AllOf(HasSubstr("program: usage"), HasSubstr("Flags of show:"),
                             HasSubstr("--test_threads"), testing::Not(HasSubstr("--test_jobs"))));
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunCommandsWith({"--help"}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::AllOf(HasSubstr("Flags:"), HasSubstr("--test_jobs")));
}

TEST(ProgramTest, TheFirstWordNamesTheCommand) {
  const auto error = [](const std::vector<std::string>& arguments) {
    const absl::FlagSaver saver;
    testing::internal::CaptureStderr();
    EXPECT_EQ(RunCommandsWith(arguments), 2);
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(error({}),
            "program: a sub-command is missing; there are search, resume, show; see --help\n");
  EXPECT_EQ(
      error({"dance"}),
      "program: there is no sub-command \"dance\"; there are search, resume, show; see --help\n");
  EXPECT_EQ(error({"show"}), "program: use: program show FILE\n");
  EXPECT_EQ(RunCommandsWith({"show", "a.txt"}), 0);
  // Also after the name, and with its default value.
  EXPECT_EQ(
      error({"show", "--test_jobs=1", "a.txt"}),
      "program: --test_jobs is not a flag of program show, but of: search, resume; see --help\n");
}

TEST(ProgramTest, ExitCodeAndMessageTellWhatHappened) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunWith({"--program_test_number=7", "echo", "disk is full"}, absl::OkStatus()), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "program: disk is full\n");
  EXPECT_EQ(absl::GetFlag(FLAGS_program_test_number), 7);
}

}  // namespace
}  // namespace op3d
