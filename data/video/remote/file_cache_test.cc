#include "data/video/remote/file_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// The content of a key's file, 1000 bytes.
std::string ContentOf(const std::string& key) {
  std::string content;
  while (content.size() < 1000) absl::StrAppend(&content, key, " ");
  content.resize(1000);
  return content;
}

class FileCacheTest : public testing::Test {
 protected:
  static FileCache Cache(const std::string& folder, int64_t limit) {
    return FileCache::Make(folder, limit).value();
  }

  absl::StatusOr<CachedFile> Get(const FileCache& cache, const std::string& key,
                                 double patience = 60) {
    return cache.Get(
        key, ".txt",
        [&](int file, FileCache::Reserve reserve) {
          ++filled_;
          const std::string content = ContentOf(key);
          absl::Status status = reserve(static_cast<int64_t>(content.size()));
          if (status.ok() && ::pwrite(file, content.data(), content.size(), 0) != 1000) {
            status = absl::InternalError("cannot write");
          }
          return status;
        },
        patience);
  }

  // Whether the key is there without fetching it.
  bool Has(const FileCache& cache, const std::string& key) {
    const auto file = cache.Get(
        key, ".txt", [](int, FileCache::Reserve) { return absl::NotFoundError("not there"); });
    return file.ok();
  }

  int64_t Bytes() const {
    int64_t sum = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (absl::EndsWith(entry.path().string(), ".txt")) sum += fs::file_size(entry);
    }
    return sum;
  }

  // File times have a grain of some milliseconds.
  static void Wait() { std::this_thread::sleep_for(std::chrono::milliseconds(15)); }

  const std::string folder_ = TestFolder("file_cache");
  std::atomic<int> filled_{0};
};

TEST_F(FileCacheTest, FillsAFileOnce) {
  const FileCache cache = Cache(folder_, 100'000);
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const CachedFile file, Get(cache, "a"));
    EXPECT_TRUE(absl::EndsWith(file.path, ".txt"));
    EXPECT_EQ(ReadFile(file.path).value(), ContentOf("a"));
  }
  EXPECT_EQ(filled_, 1);
  ASSERT_OK_AND_ASSIGN(const CachedFile other, Get(cache, "b"));
  EXPECT_EQ(ReadFile(other.path).value(), ContentOf("b"));
}

TEST_F(FileCacheTest, ThreadsWaitForTheFirstOne) {
  const FileCache cache = Cache(folder_, 100'000);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto file = cache.Get("slow", "", [&](int copy, FileCache::Reserve reserve) {
        ++filled_;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        OP3D_RETURN_IF_ERROR(reserve(4));
        return ::pwrite(copy, "slow", 4, 0) == 4 ? absl::OkStatus() : absl::InternalError("write");
      });
      if (file.ok() && ReadFile(file->path).value() == "slow") ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(filled_, 1);
}

TEST_F(FileCacheTest, RemovesWhatWasUsedLongestAgo) {
  const FileCache cache = Cache(folder_, 4300);  // four files of 1000 bytes
  for (const char* key : {"a", "b", "c", "d"}) {
    ASSERT_THAT(Get(cache, key), IsOk());
    Wait();
  }
  ASSERT_THAT(Get(cache, "a"), IsOk());
  Wait();
  ASSERT_OK_AND_ASSIGN(const CachedFile read, Get(cache, "b"));
  Wait();
  EXPECT_EQ(filled_, 4);
  ASSERT_THAT(Get(cache, "e"), IsOk());
  EXPECT_LE(Bytes(), 4300);
  EXPECT_FALSE(Has(cache, "c"));
  EXPECT_TRUE(Has(cache, "a"));
  // "b" is being read, so it stays whatever else comes.
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(Get(cache, absl::StrCat("more ", i)), IsOk());
    EXPECT_LE(Bytes(), 4300);
  }
  EXPECT_EQ(ReadFile(read.path).value(), ContentOf("b"));
  EXPECT_FALSE(Has(cache, "a"));
}

TEST_F(FileCacheTest, SaysWhenThereIsNoRoom) {
  const FileCache tiny = Cache(folder_, 999);
  EXPECT_THAT(Get(tiny, "a"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("1000 bytes"), HasSubstr("remote.cache_mib"))));
  const FileCache cache = Cache(folder_, 2100);
  ASSERT_OK_AND_ASSIGN(const CachedFile a, Get(cache, "a"));
  ASSERT_OK_AND_ASSIGN(const CachedFile b, Get(cache, "b"));
  EXPECT_THAT(Get(cache, "c"), StatusIs(absl::StatusCode::kResourceExhausted,
                                        HasSubstr("are being read or written")));
  EXPECT_EQ(ListFolder(folder_)->size(), 3);  // the two, and the sum
  EXPECT_THAT(FileCache::Make(folder_, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 1")));
}

TEST_F(FileCacheTest, AnErrorLeavesNothing) {
  const FileCache cache = Cache(folder_, 2100);
  for (int i = 0; i < 5; ++i) {
    const auto broken =
        cache.Get("a", ".txt", [](int file, FileCache::Reserve reserve) -> absl::Status {
          OP3D_RETURN_IF_ERROR(reserve(1000));
          EXPECT_EQ(::pwrite(file, "half", 4, 0), 4);
          return absl::UnavailableError("the line was cut");
        });
    EXPECT_THAT(broken, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cut")));
    EXPECT_EQ(ListFolder(folder_)->size(), 1);
  }
  EXPECT_THAT(Get(cache, "a"), IsOk());
}

TEST_F(FileCacheTest, CleansUpAfterAKilledProcessAndLeavesOtherFilesAlone) {
  const FileCache cache = Cache(folder_, 2100);
  ASSERT_THAT(WriteFileAtomically(folder_ + "/holiday.mp4", std::string(5000, 'h')), IsOk());
  const pid_t child = ::fork();
  if (child == 0) {
    cache
        .Get("a", ".txt",
             [](int file, FileCache::Reserve reserve) {
               reserve(1000).IgnoreError();
               if (::pwrite(file, "half", 4, 0) == 4) ::_exit(0);
               return absl::OkStatus();
             })
        .status()
        .IgnoreError();
    ::_exit(1);
  }
  int how = 0;
  ASSERT_EQ(::waitpid(child, &how, 0), child);
  ASSERT_EQ(how, 0);
  EXPECT_EQ(ListFolder(folder_)->size(), 3);
  EXPECT_FALSE(Has(cache, "none"));
  for (const char* key : {"b", "c", "d", "e"}) ASSERT_THAT(Get(cache, key), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, ListFolder(folder_));
  for (const std::string& name : names) EXPECT_FALSE(absl::EndsWith(name, ".part"));
  ASSERT_OK_AND_ASSIGN(const CachedFile whole, Get(cache, "a"));
  EXPECT_EQ(ReadFile(whole.path).value(), ContentOf("a"));
  EXPECT_TRUE(FileExists(folder_ + "/holiday.mp4"));
}

TEST_F(FileCacheTest, DoesNotWaitForAStoppedProcess) {
  const FileCache cache = Cache(folder_, 100'000);
  // Somebody holds the part of "a" and does nothing.
  ASSERT_OK_AND_ASSIGN(const CachedFile probe, Get(cache, "a"));
  const std::string part = probe.path + ".part";
  ASSERT_THAT(RemoveFile(probe.path), IsOk());
  const int stopped = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(stopped, LOCK_EX), 0);
  const timespec old[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::futimens(stopped, old), 0);
  ASSERT_OK_AND_ASSIGN(const CachedFile file, Get(cache, "a", /*patience=*/0.1));
  EXPECT_EQ(ReadFile(file.path).value(), ContentOf("a"));
  EXPECT_EQ(filled_, 2);
  ::close(stopped);
}

// Processes that use and remove each other's files: every file read is whole, and the sum stays
// below the limit.
TEST_F(FileCacheTest, ManyProcesses) {
  constexpr int kProcesses = 4;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      const FileCache cache = Cache(folder_, 6500);
      for (int i = 0; i < 150; ++i) {
        const std::string key = absl::StrCat("key ", (i * (process + 3) + process) % 11);
        const auto file = Get(cache, key);
        if (!file.ok()) ::_exit(2);
        const auto content = ReadFile(file->path);
        if (!content.ok() || *content != ContentOf(key)) ::_exit(3);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int how = 0;
    ASSERT_EQ(::waitpid(child, &how, 0), child);
    EXPECT_EQ(how, 0) << WEXITSTATUS(how);
  }
  EXPECT_LE(Bytes(), 6500);
}

}  // namespace
}  // namespace op3d::data
