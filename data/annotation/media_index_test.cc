#include "data/annotation/media_index.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
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
    const std::vector<std::string> paths = media.Find(name, "label");
    return paths.empty() ? std::string("none") : paths[0].substr(root.size() + 1);
  };
  EXPECT_EQ(found("flat_000001_000002"), "flat_000001_000002.mp4");
  EXPECT_EQ(found("a"), "air drumming/a.mp4");
  EXPECT_EQ(found("b"), "bee_keeping/b.WEBM");
  EXPECT_EQ(found("notes"), "none");
  EXPECT_EQ(found("c"), "deep/er/c.mp4");
  EXPECT_EQ(found(""), "none");
  EXPECT_EQ(media.folders(), 4);
}

TEST(MediaIndexTest, ATarIsAFolder) {
  const std::string root = MakeMedia({"zumba/b.mp4", "not_one.tar"});
  WriteTestTar(root + "/train-000.tar",
               {{"b.mp4", "x"}, {"b.cls", "1"}, {"c.mp4", "x"}, {"frames/00001.jpg", "x"}});
  ASSERT_THAT(MakeFolders(root + "/more"), IsOk());
  const std::string tar =
      WriteTestTar(root + "/more/classes.tar", {{"./zumba/d.mp4", "x"}, {"abseiling/d.mp4", "x"}});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {"frames"}));
  EXPECT_EQ(media.Find("c", "")[0], root + "/train-000.tar/c.mp4");
  EXPECT_EQ(media.Find("frames", "")[0], root + "/train-000.tar/frames");
  EXPECT_EQ(media.Find("b", "zumba")[0], root + "/zumba/b.mp4");
  EXPECT_EQ(media.Find("d", "zumba")[0], tar + "/zumba/d.mp4");
  EXPECT_EQ(media.FindIn("abseiling", "d", "")[0], tar + "/abseiling/d.mp4");
  ASSERT_EQ(media.unreadable().size(), 1);
  EXPECT_THAT(media.unreadable()[0].status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not_one.tar")));
}

TEST(MediaIndexTest, PrefersTheFolderOfTheLabel) {
  const std::string root = MakeMedia({"Air_Drumming/a.mp4", "abseiling/a.mp4", "zumba/a.mp4"});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {}));
  EXPECT_THAT(media.Find("a", "air drumming")[0], HasSubstr("/Air_Drumming/"));
  EXPECT_THAT(media.Find("a", "zumba")[0], HasSubstr("/zumba/"));
  EXPECT_THAT(media.Find("a", "something else")[0], HasSubstr("/Air_Drumming/"));
}

TEST(MediaIndexTest, FoldersAroundTheClassFolders) {
  const std::string root = MakeMedia(
      {"wave/wave/w.avi", "hmdb51/hmdb51/sit/s.avi", "1/2/3/4/deep.avi", ".hidden/h.avi"});
  std::filesystem::create_directory_symlink(root, root + "/1/again");  // a circle
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {}));
  EXPECT_THAT(media.Find("w", "wave")[0], HasSubstr("/media/wave/wave/w.avi"));
  EXPECT_THAT(media.Find("s", "sit")[0], HasSubstr("/hmdb51/hmdb51/sit/s.avi"));
  EXPECT_THAT(media.FindIn("sit", "s", "")[0], HasSubstr("/sit/s.avi"));
  EXPECT_TRUE(media.FindIn("wave", "s", "stand").empty());
  EXPECT_TRUE(media.Find("deep", "").empty());
  EXPECT_TRUE(media.Find("h", "").empty());
}

TEST(MediaIndexTest, ReplacementsComeFirst) {
  const std::string root = MakeMedia(
      {"b/x.mp4", "c/x.mkv", "c/x.mp4", "x.mp4", "Replacement_for_corrupted/x.mp4", "y.mp4"});
  const std::string beside = TestFolder("beside");
  for (const char* file : {"/y.mp4", "/in/x.mp4"}) {
    ASSERT_THAT(MakeFolders(beside + "/in"), IsOk());
    ASSERT_THAT(WriteFileAtomically(beside + file, "x"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(MediaIndex media, MediaIndex::Scan(root, {}));
  media.AddReplacements(beside, {});
  media.AddReplacements(root + "/none", {});
  std::vector<std::string> found;
  for (const std::string& path : media.Find("x", "c")) {
    found.push_back(path.substr((absl::StartsWith(path, beside) ? beside : root).size() + 1));
  }
  EXPECT_THAT(found, testing::ElementsAre("Replacement_for_corrupted/x.mp4", "in/x.mp4", "c/x.mkv",
                                          "c/x.mp4", "x.mp4", "b/x.mp4"));
  EXPECT_EQ(media.Find("y", "")[0], beside + "/y.mp4");
  ASSERT_EQ(media.unreadable().size(), 1);
  EXPECT_EQ(media.unreadable()[0].name, "none");
}

TEST(MediaIndexTest, OfSeveralFoldersTheOneWithMostInCommon) {
  const std::string root = MakeMedia({"g1/drinking/1.mp4", "g2/drinking/1.mp4", "g2/1.mp4"});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {}));
  EXPECT_THAT(media.FindIn("old/g2/drinking", "1", ""),
              testing::ElementsAre(root + "/g2/drinking/1.mp4"));
  EXPECT_EQ(media.FindIn("drinking", "1", "").size(), 2);
  EXPECT_TRUE(media.FindIn("g3", "1", "").empty());
}

TEST(MediaIndexTest, FramesOfUnlistedVideosArePassedOver) {
  std::vector<std::string> files = {"class/1.mp4"};
  for (int i = 0; i < 33; ++i) {
    files.push_back("unlisted/" + std::to_string(i) + ".jpg");
    files.push_back("class/" + std::to_string(i) + ".jpg");  // thumbnails
  }
  const std::string root = MakeMedia(files);
  ASSERT_OK_AND_ASSIGN(const MediaIndex media, MediaIndex::Scan(root, {}));
  EXPECT_EQ(media.files(), 1);
  EXPECT_EQ(media.Find("1", "").size(), 1);
}

TEST(MediaIndexTest, ListedNamesMayBeFoldersOfFrames) {
  const std::string root =
      MakeMedia({"78687/00001.jpg", "78687/00002.jpg", "Bars/v_1/000001.jpg", "Bars/v_2.avi",
                 "Bars/v_3.lmdb/data.mdb", "4/data.mdb", "other/00001.jpg"});
  ASSERT_OK_AND_ASSIGN(const MediaIndex media,
                       MediaIndex::Scan(root, {"78687", "v_1", "v_2", "v_3", "4"}));
  auto found = [&](const char* name) {
    const std::vector<std::string> paths = media.Find(name, "Bars");
    return paths.empty() ? std::string("none") : paths[0].substr(root.size() + 1);
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
}  // namespace op3d::data
