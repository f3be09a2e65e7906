#include "planner/search/journal.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"
#include "planner/graphs/pool.h"

namespace op3d::planner {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::HasSubstr;

JournalHeader MakeHeader() {
  JournalHeader header;
  header.set_version(1);
  *header.mutable_graph() = MakePool(PoolOptions());
  header.mutable_rule()->set_attempt_epochs(4);
  header.add_settings("seed: 1");
  header.add_settings("network: \"dg_p3d_miniature\"");
  return header;
}

JournalEntry MakePoint(int epoch, double performance) {
  JournalEntry entry;
  entry.mutable_point()->set_edge("S0-S1");
  entry.mutable_point()->mutable_point()->set_epoch(epoch);
  entry.mutable_point()->mutable_point()->set_performance(performance);
  return entry;
}

// A few bytes, for tests that try every byte.
JournalHeader SmallHeader() {
  JournalHeader header;
  header.set_version(1);
  return header;
}

// A journal with a header and three points.
std::string MakeJournal(const std::string& path, const JournalHeader& header = MakeHeader()) {
  const auto journal = Journal::Open(path, header);
  EXPECT_THAT(journal, IsOk());
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_THAT((*journal)->Append(MakePoint(epoch, 0.1 * epoch)), IsOk());
  }
  return ReadFile(path).value_or("");
}

// Without syncing, because these tests write thousands of files.
void WriteFast(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

TEST(JournalTest, GivesBackWhatWasAppended) {
  const std::string path = JoinPath(TestFolder("journal"), kJournalFile);
  MakeJournal(path);
  ASSERT_OK_AND_ASSIGN(const auto journal, Journal::Open(path, MakeHeader()));
  ASSERT_EQ(journal->entries().size(), 3);
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_TRUE(
        MessageDifferencer::Equals(journal->entries()[epoch], MakePoint(epoch, 0.1 * epoch)));
  }
}

TEST(JournalTest, LinesAreJsonThatAPersonCanRead) {
  ASSERT_OK_AND_ASSIGN(const std::string line, EncodeJournalLine(MakePoint(0, 0.25)));
  EXPECT_TRUE(absl::StartsWith(
      line, "{\"point\":{\"edge\":\"S0-S1\",\"point\":{\"epoch\":0,\"performance\":0.25,"))
      << line;
  EXPECT_TRUE(absl::EndsWith(line, "\"}\n")) << line;
}

TEST(JournalTest, NumbersKeepEveryBit) {
  RandomStream stream(1, "bits", {});
  for (int i = 0; i < 2000; ++i) {
    const double value = i == 0   ? 0.1
                         : i == 1 ? std::numeric_limits<double>::denorm_min()
                         : i == 2 ? std::numeric_limits<double>::max()
                                  : stream.Uniform() * std::exp(stream.Uniform(-300, 300));
    ASSERT_OK_AND_ASSIGN(std::string line, EncodeJournalLine(MakePoint(1, value)));
    line.pop_back();
    ASSERT_OK_AND_ASSIGN(const JournalEntry entry, DecodeJournalLine(line));
    ASSERT_EQ(entry.point().point().performance(), value) << line;
  }
}

TEST(JournalTest, ATornLastLineIsCutOffWhereverItTore) {
  const std::string path = JoinPath(TestFolder("torn"), kJournalFile);
  const std::string whole = MakeJournal(path, SmallHeader());
  const std::vector<std::string> lines = absl::StrSplit(whole, '\n');
  const size_t header = lines[0].size() + 1;
  for (size_t size = 0; size <= whole.size(); ++size) {
    WriteFast(path, whole.substr(0, size));
    size_t entries = 0, kept = header;
    while (entries < 3 && kept + lines[entries + 1].size() + 1 <= size) {
      kept += lines[++entries].size() + 1;
    }
    ASSERT_OK_AND_ASSIGN(const auto journal, Journal::Open(path, SmallHeader()));
    ASSERT_EQ(journal->entries().size(), entries) << size;
    ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
    ASSERT_EQ(text, whole.substr(0, kept)) << size;  // a torn header is written again
  }
}

TEST(JournalTest, ADamagedLastLineIsTornToo) {
  const std::string path = JoinPath(TestFolder("last"), kJournalFile);
  std::string text = MakeJournal(path);
  text[text.size() - 30] = '\0';  // a block that did not come to disk, its end did
  ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto journal, Journal::Open(path, MakeHeader()));
  EXPECT_EQ(journal->entries().size(), 2);
  EXPECT_THAT(journal->Append(MakePoint(2, 0.5)), IsOk());
  ASSERT_OK_AND_ASSIGN(const JournalContent content, ReadJournal(path));
  EXPECT_EQ(content.entries.size(), 3);
}

TEST(JournalTest, ADamagedLineInTheMiddleIsAnErrorThatNamesIt) {
  const std::string path = JoinPath(TestFolder("damaged"), kJournalFile);
  const std::string whole = MakeJournal(path, SmallHeader());
  for (int line = 1; line <= 3; ++line) {
    std::vector<std::string> lines = absl::StrSplit(whole, '\n');
    for (size_t at = 0; at < lines[line - 1].size(); at += 7) {
      std::vector<std::string> damaged = lines;
      damaged[line - 1][at] ^= 1;
      std::string text;
      for (size_t i = 0; i + 1 < damaged.size(); ++i) absl::StrAppend(&text, damaged[i], "\n");
      WriteFast(path, text);
      const auto expected =
          StatusIs(absl::StatusCode::kDataLoss, HasSubstr(absl::StrCat("line ", line)));
      ASSERT_THAT(Journal::Open(path, SmallHeader()), expected) << at;
      ASSERT_THAT(ReadJournal(path), expected);
      ASSERT_THAT(ReadFile(path), IsOk());
      ASSERT_EQ(*ReadFile(path), text);  // untouched
    }
  }
}

TEST(JournalTest, NamesTheFirstDifferenceOfAnotherSearch) {
  const std::string path = JoinPath(TestFolder("other"), kJournalFile);
  const std::string whole = MakeJournal(path);
  const auto refused = [&path](const JournalHeader& header, const char* what) {
    EXPECT_THAT(Journal::Open(path, header),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(what)));
  };
  JournalHeader header = MakeHeader();
  header.mutable_rule()->set_attempt_epochs(10);
  refused(header, "rule.attempt_epochs: 4 -> 10");
  header = MakeHeader();
  header.mutable_graph()->mutable_states(2)->set_learning_rate(0.01);
  refused(header, "graph.states[2].learning_rate: 0.004 -> 0.01");
  header = MakeHeader();
  header.set_settings(0, "seed: 2");
  refused(header, "\"seed: 1\" -> \"seed: 2\"");
  header = MakeHeader();
  header.mutable_graph()->mutable_transitions()->RemoveLast();
  refused(header, "graph.transitions[13]");
  EXPECT_EQ(ReadFile(path).value_or(""), whole);
}

TEST(JournalTest, IsHeldByOneProcess) {
  const std::string path = JoinPath(TestFolder("held"), kJournalFile);
  int ready[2], done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto journal = Journal::Open(path, MakeHeader());
    char byte = journal.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::_exit(::read(done[0], &byte, 1) == 1 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_THAT(Journal::Open(path, MakeHeader()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(absl::StrCat("process ", child))));
  EXPECT_THAT(ReadJournal(path), IsOk());  // looking is allowed
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(Journal::Open(path, MakeHeader()), IsOk());  // free again
  for (int fd : {ready[0], ready[1], done[0], done[1]}) ::close(fd);
}

TEST(JournalTest, NamesWhatCannotBeOpened) {
  const std::string folder = TestFolder("missing");
  EXPECT_THAT(Journal::Open(JoinPath(folder, "no/journal.jsonl"), MakeHeader()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no/journal.jsonl")));
  EXPECT_THAT(ReadJournal(JoinPath(folder, kJournalFile)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(kJournalFile)));
  ASSERT_THAT(WriteFileAtomically(JoinPath(folder, kJournalFile), "{\"head"), IsOk());
  EXPECT_THAT(ReadJournal(JoinPath(folder, kJournalFile)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no whole line")));
}

TEST(JournalTest, RefusesLinesThatAreNoEntries) {
  const auto line = [](const std::string& body) {
    return absl::StrCat(body, ",\"crc32\":\"", absl::Hex(Crc32(body), absl::kZeroPad8), "\"}");
  };
  constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
  EXPECT_THAT(DecodeJournalLine(""), StatusIs(kDataLoss, HasSubstr("too short")));
  EXPECT_THAT(DecodeJournalLine(line("{\"opened\":{}")), IsOk());
  EXPECT_THAT(DecodeJournalLine(line("{\"closed\":{}")), StatusIs(kDataLoss, HasSubstr("closed")));
  EXPECT_THAT(DecodeJournalLine(line("{\"opened\":[")), StatusIs(kDataLoss, HasSubstr("")));
  EXPECT_THAT(DecodeJournalLine(line("{\"point\":{\"point\":{\"epoch\":\"x\"}}")),
              StatusIs(kDataLoss, HasSubstr("")));
}

}  // namespace
}  // namespace op3d::planner
