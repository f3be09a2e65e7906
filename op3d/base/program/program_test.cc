#include "op3d/base/program/program.h"

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/program/renamed_flag.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/testing/status_matchers.h"

ABSL_FLAG(int, program_test_number, 1, "a number");
ABSL_FLAG(bool, program_test_switch, false, "a switch");
ABSL_FLAG(op3d::RenamedFlag, program_test_old, {"--program_test_number"}, "");

namespace op3d {
namespace {

using testing::HasSubstr;

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

TEST(ProgramTest, ExitCodeAndMessageTellWhatHappened) {
  // Abseil accepts a usage message only once per process, so one test runs one program.
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunWith({"--program_test_number=7", "echo", "disk is full"}, absl::OkStatus()), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "program: disk is full\n");
  EXPECT_EQ(absl::GetFlag(FLAGS_program_test_number), 7);
}

}  // namespace
}  // namespace op3d
