#include "op3d/network/weights/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

bool Everything(absl::string_view) { return true; }

using Members = std::vector<std::pair<std::string, std::string>>;

// A zip of the members, compressed or not.
std::string Zip(const Members& members, bool compressed) {
  std::string bytes(1 << 16, '\0');
  size_t used = 0;
  struct archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  compressed ? archive_write_zip_set_compression_deflate(writer)
             : archive_write_zip_set_compression_store(writer);
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const auto& [name, contents] : members) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(contents.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_write_header(writer, entry);
    archive_write_data(writer, contents.data(), contents.size());
    archive_entry_free(entry);
  }
  archive_write_free(writer);
  return bytes.substr(0, used);
}

TEST(ArchiveTest, ReadsStoredMembers) {
  const std::string zip = Zip({{"a/data.pkl", "one"}, {"a/data/0", "two"}}, false);
  ASSERT_OK_AND_ASSIGN(const auto members, ReadArchive(zip, Everything));
  EXPECT_THAT(members, ElementsAre(Pair("a/data.pkl", "one"), Pair("a/data/0", "two")));
  ASSERT_OK_AND_ASSIGN(const auto some, ReadArchive(zip, [](absl::string_view name) {
                         return absl::EndsWith(name, "0");
                       }));
  EXPECT_THAT(some, ElementsAre(Pair("a/data/0", "two")));
}

// A name that would lead out of a folder is only a name: nothing is written.
TEST(ArchiveTest, PathsAreNeverFollowed) {
  const std::string zip = Zip({{"../../climbed", "x"}, {"/tmp/absolute", "y"}}, false);
  ASSERT_OK_AND_ASSIGN(const auto members, ReadArchive(zip, Everything));
  EXPECT_EQ(members.size(), 2);
  EXPECT_FALSE(FileExists("../../climbed"));
}

TEST(ArchiveTest, CompressedMembersAreRefused) {
  const std::string zip = Zip({{"bomb", std::string(60000, 'a')}}, true);
  ASSERT_LT(zip.size(), 1000);
  EXPECT_THAT(ReadArchive(zip, Everything).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("member bomb is compressed or sparse")));
}

TEST(ArchiveTest, ADamagedByteIsNoticed) {
  std::string zip = Zip({{"a/data.pkl", std::string(100, 'q')}}, false);
  zip[zip.find("qqq") + 50] = 'Q';
  EXPECT_THAT(ReadArchive(zip, Everything).status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("damaged")));
}

TEST(ArchiveTest, ReadsTheTarOf2017) {
  const std::string tar =
      ReadFile(RunfilePath("op3d/network/weights/testdata/tiny_tar.pth").value()).value();
  ASSERT_OK_AND_ASSIGN(const auto members, ReadArchive(tar, Everything));
  std::vector<std::string> names;
  for (const auto& [name, contents] : members) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("pickle", "storages", "sys_info", "tensors"));
  EXPECT_FALSE(ReadArchive(tar.substr(0, 1000), Everything).ok());
}

}  // namespace
}  // namespace op3d
