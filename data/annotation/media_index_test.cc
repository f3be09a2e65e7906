#include "data/annotation/media_index.h"

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/status_matchers.h"

namespace op3d {
namespace {

using testing::HasSubstr;

std::string MakeMedia(const std::vector<std::string>& files) {
  const std::string root = TestFolder("media");
  for (const std::string& file : files) {
    const std::string path = JoinPath(root, file);
    EXPECT_THAT(MakeFolders(path.substr(0, path.rfind('/'))), IsOk());
    EXPECT_THAT(WriteFileAtomically(path, "x"), IsOk());
  }
  return root;
}

TEST(MediaIndexTest, FindsFlatFilesAndClassFolders) {
  const std::string root =
      MakeMedia({"flat_000001_000002.mp4", "air drumming/a.mp4", "bee_keeping/b.WEBM",
                 "bee_keeping/notes.txt", "deep/er/c.mp4", "odd.mp4/d.mp4", ".mp4"});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {}));
  auto found = [&](const char* name) {
    const std::string* path = media.Find(name, "label");
    return path == nullptr ? std::string("none") : path->substr(root.size() + 1);
  };
  EXPECT_EQ(found("flat_000001_000002"), "flat_000001_000002.mp4");
  EXPECT_EQ(found("a"), "air drumming/a.mp4");
  EXPECT_EQ(found("b"), "bee_keeping/b.WEBM");
  EXPECT_EQ(found("notes"), "none");
  EXPECT_EQ(found("c"), "none");
  EXPECT_EQ(found(""), "none");
  EXPECT_EQ(media.folders(), 3);
}

TEST(MediaIndexTest, PrefersTheFolderOfTheLabel) {
  const std::string root = MakeMedia({"Air_Drumming/a.mp4", "abseiling/a.mp4", "zumba/a.mp4"});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {}));
  EXPECT_THAT(*media.Find("a", "air drumming"), HasSubstr("/Air_Drumming/"));
  EXPECT_THAT(*media.Find("a", "zumba"), HasSubstr("/zumba/"));
  EXPECT_THAT(*media.Find("a", "something else"), HasSubstr("/Air_Drumming/"));
}

TEST(MediaIndexTest, ListedNamesMayBeFoldersOfFrames) {
  const std::string root =
      MakeMedia({"78687/00001.jpg", "78687/00002.jpg", "Bars/v_1/000001.jpg", "Bars/v_2.avi",
                 "Bars/v_3.lmdb/data.mdb", "4/data.mdb", "other/00001.jpg"});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media,
                       MediaIndex::Scan(root, {"78687", "v_1", "v_2", "v_3", "4"}));
  auto found = [&](const char* name) {
    const std::string* path = media.Find(name, "Bars");
    return path == nullptr ? std::string("none") : path->substr(root.size() + 1);
  };
  EXPECT_EQ(found("78687"), "78687");
  EXPECT_EQ(found("v_1"), "Bars/v_1");
  EXPECT_EQ(found("v_2"), "Bars/v_2.avi");
  EXPECT_EQ(found("v_3"), "Bars/v_3.lmdb");
  EXPECT_EQ(found("4"), "4");
  EXPECT_EQ(found("other"), "none");
  EXPECT_EQ(media.folders(), 2);
}

TEST(MediaIndexTest, MissingFolderIsNotFound) {
  EXPECT_THAT(MediaIndex::Scan("/no/such/folder", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/folder")));
}

}  // namespace
}  // namespace op3d
