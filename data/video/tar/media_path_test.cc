#include "data/video/tar/media_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;

TEST(MediaPathTest, ATarIsAFolder) {
  const std::string folder = TestFolder("media_path");
  const std::string tar = WriteTestTar(folder + "/s.TAR", {{"run/a.mp4", "a"}});
  ASSERT_THAT(MakeFolders(folder + "/real.tar/run"), IsOk());
  ASSERT_THAT(WriteFileAtomically(folder + "/real.tar/run/b.mp4", "b"), IsOk());

  const auto place = SplitTarPath(tar + "//run/./a.mp4");
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->tar, tar);
  EXPECT_EQ(place->member, "run/a.mp4");
  EXPECT_EQ(SplitTarPath(tar)->member, "");
  for (const std::string& none : {folder + "/real.tar/run/b.mp4", folder + "/none.tar/a.mp4",
                                  folder + "/a.mp4", std::string(""), std::string("/")}) {
    EXPECT_FALSE(SplitTarPath(none).has_value()) << none;
  }

  EXPECT_TRUE(MediaFileExists(tar + "/run/a.mp4"));
  EXPECT_TRUE(MediaFileExists(folder + "/real.tar/run/b.mp4"));
  EXPECT_FALSE(MediaFileExists(tar + "/run"));
  EXPECT_FALSE(MediaFileExists(tar));
  EXPECT_TRUE(MediaFolderExists(tar));
  EXPECT_TRUE(MediaFolderExists(tar + "/run"));
  EXPECT_FALSE(MediaFolderExists(tar + "/walk"));
  EXPECT_EQ(MediaFileBytes(tar + "/run/a.mp4"), 1);
  EXPECT_EQ(MediaFileBytes(folder + "/real.tar/run/b.mp4"), 1);
  for (const char* none : {"/run", "/none"}) EXPECT_EQ(MediaFileBytes(tar + none), 0);
  EXPECT_EQ(MediaFileBytes(folder), 0);
  EXPECT_THAT(CheckTarPath(tar + "/run/a.mp4"), IsOk());
  EXPECT_THAT(CheckTarPath(tar + "/run/b.mp4"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no such member")));
  EXPECT_THAT(CheckTarPath(folder + "/none.tar/b.mp4"), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto entries, ListMediaFolder(folder));
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].name, "real.tar");
  EXPECT_TRUE(entries[1].is_folder);
  ASSERT_OK_AND_ASSIGN(const auto members, ListMediaFolder(tar + "/run"));
  ASSERT_EQ(members.size(), 1);
  EXPECT_EQ(members[0].name, "a.mp4");
  EXPECT_FALSE(members[0].is_folder);
}

TEST(MediaPathTest, ATarThatCannotBeRead) {
  const std::string folder = TestFolder("unreadable");
  const std::string tar = folder + "/t.tar";
  ASSERT_THAT(WriteFileAtomically(tar, "\x1F\x8B gzip"), IsOk());
  EXPECT_FALSE(MediaFileExists(tar + "/a.mp4"));
  EXPECT_FALSE(MediaFolderExists(tar));
  EXPECT_THAT(CheckTarPath(tar + "/a.mp4"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".tar")));
  EXPECT_THAT(TarDamage(tar), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".tar")));
  EXPECT_THAT(ListMediaFolder(tar),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".tar")));
}

}  // namespace
}  // namespace op3d::data
