#include "data/index/index_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class IndexJournalTest : public testing::Test {
 protected:
  const std::string path_ = JoinPath(TestFolder("index_journal"), "a.journal");
};

TEST_F(IndexJournalTest, KeepsWhatWasAppended) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
    EXPECT_THAT(journal->earlier(), IsEmpty());
    ASSERT_THAT(journal->Append("one"), IsOk());
    ASSERT_THAT(journal->Append(""), IsOk());
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
    EXPECT_THAT(journal->earlier(), ElementsAre("one", ""));
    ASSERT_THAT(journal->Append(std::string("t\0wo", 4)), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
  EXPECT_THAT(journal->earlier(), ElementsAre("one", "", std::string("t\0wo", 4)));
  ASSERT_THAT(journal->Remove(), IsOk());
  EXPECT_FALSE(FileExists(path_));
}

// A process that is killed while writing leaves an incomplete record.
TEST_F(IndexJournalTest, CutsOffADamagedEnd) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
    ASSERT_THAT(journal->Append("first"), IsOk());
    ASSERT_THAT(journal->Append("second"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const std::string whole, ReadFile(path_));
  for (size_t size = whole.size() - 6 - 8; size < whole.size(); ++size) {
    ASSERT_THAT(WriteFileAtomically(path_, whole.substr(0, size)), IsOk());
    {
      ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
      EXPECT_THAT(journal->earlier(), ElementsAre("first")) << size;
      ASSERT_THAT(journal->Append("again"), IsOk());
    }
    ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
    EXPECT_THAT(journal->earlier(), ElementsAre("first", "again")) << size;
  }
  std::string changed = whole;
  changed.back() = 'x';
  ASSERT_THAT(WriteFileAtomically(path_, changed), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
  EXPECT_THAT(journal->earlier(), ElementsAre("first"));
}

TEST_F(IndexJournalTest, WaitsForTheOneWhoHoldsIt) {
  ASSERT_OK_AND_ASSIGN(auto first, IndexJournal::Open(path_));
  ASSERT_THAT(first->Append("one"), IsOk());
  std::atomic<bool> released = false;
  std::thread second([&] {
    ASSERT_OK_AND_ASSIGN(const auto journal, IndexJournal::Open(path_));
    EXPECT_TRUE(released);
    EXPECT_THAT(journal->earlier(), IsEmpty());  // the file is a new one
    EXPECT_THAT(journal->Append("two"), IsOk());
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  released = true;
  ASSERT_THAT(first->Remove(), IsOk());
  first.reset();
  second.join();
  ASSERT_OK_AND_ASSIGN(const auto third, IndexJournal::Open(path_));
  EXPECT_THAT(third->earlier(), ElementsAre("two"));
}

}  // namespace
}  // namespace op3d::data
