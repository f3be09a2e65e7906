#include "data/video/tar/tar_shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = TestMember::Kind;

class TarShardTest : public testing::Test {
 protected:
  // The member's bytes, taken from the tar's by its position.
  static std::string Content(const TarShard& shard, absl::string_view name) {
    const absl::StatusOr<TarMember> member = shard.Find(name);
    if (!member.ok()) return std::string(member.status().message());
    const absl::StatusOr<std::string> tar = ReadFile(shard.path());
    EXPECT_THAT(tar, IsOk());
    return tar->substr(static_cast<size_t>(member->start), static_cast<size_t>(member->bytes));
  }

  static std::vector<std::string> Names(const TarShard& shard, absl::string_view folder) {
    std::vector<std::string> names;
    for (const TarShard::Entry& entry : shard.List(folder)) {
      names.push_back(absl::StrCat(entry.name, entry.is_folder ? "/" : ""));
    }
    return names;
  }

  std::string Path(const std::string& name) const { return JoinPath(folder_, name); }

  const std::string folder_ = TestFolder("tar_shard");
};

TEST_F(TarShardTest, FindsMembersOfEveryForm) {
  const std::string long_name = absl::StrCat(std::string(90, 'd'), "/", std::string(120, 'n'));
  for (const TarForm form : {TarForm::kUstar, TarForm::kPax, TarForm::kGnu}) {
    std::vector<TestMember> members = {{"./run/", "", Kind::kFolder},
                                       {"./run/b.mp4", std::string(1000, 'b')},
                                       {"run.mp4", "r"},
                                       {"run/deep/c.mp4", std::string(512, 'c')},
                                       {"empty", ""},
                                       {"na\xC3\xAFve \xE6\xBC\xA2.mp4", "utf-8"}};
    if (form != TarForm::kUstar) members.push_back({long_name, "long"});
    members.push_back({"last.mp4", std::string(513, 'l')});
    const std::string path =
        WriteTestTar(Path(absl::StrCat(static_cast<int>(form), ".tar")), members, form);
    ASSERT_OK_AND_ASSIGN(const auto shard, TarShard::Open(path));
    EXPECT_THAT(shard->damage(), IsOk());
    for (const TestMember& member : members) {
      if (member.kind == Kind::kFolder) continue;
      const std::string name = member.name.substr(member.name[0] == '.' ? 2 : 0);
      EXPECT_EQ(Content(*shard, name), member.content) << name;
      EXPECT_FALSE(shard->IsFolder(name));
    }
    EXPECT_THAT(Names(*shard, "run"), ElementsAre("b.mp4", "deep/"));
    EXPECT_THAT(Names(*shard, "run/deep"), ElementsAre("c.mp4"));
    EXPECT_THAT(Names(*shard, "run/de"), ElementsAre());
    EXPECT_TRUE(shard->IsFolder(""));
    EXPECT_TRUE(shard->IsFolder("run"));
    EXPECT_FALSE(shard->IsFolder("ru"));
    EXPECT_THAT(shard->Find("run/none.mp4"),
                StatusIs(absl::StatusCode::kNotFound,
                         HasSubstr(path + "/run/none.mp4: the tar has no such member")));
    const std::vector<std::string> top = Names(*shard, "");
    EXPECT_EQ(top[form == TarForm::kUstar ? 0 : 1], "empty");
    EXPECT_EQ(top.size(), form == TarForm::kUstar ? 5 : 6);
  }
}

TEST_F(TarShardTest, LinksSparseAndRepeatedMembers) {
  const std::string path =
      WriteTestTar(Path("odd.tar"), {{"a.mp4", "first"},
                                     {"hard.mp4", "a.mp4", Kind::kHardLink},
                                     {"dangling.mp4", "none.mp4", Kind::kHardLink},
                                     {"soft.mp4", "a.mp4", Kind::kSymbolicLink},
                                     {"twice.mp4", "one"},
                                     {"./twice.mp4", "two"},
                                     {"sparse.mp4", std::string(8192, 's'), Kind::kSparse},
                                     {"../outside.mp4", "o"},
                                     {"/etc/absolute.mp4", "absolute"},
                                     {"z.mp4", "after all of it"}});
  ASSERT_OK_AND_ASSIGN(const auto shard, TarShard::Open(path));
  EXPECT_THAT(shard->damage(), IsOk());
  EXPECT_EQ(Content(*shard, "hard.mp4"), "first");
  EXPECT_EQ(Content(*shard, "etc/absolute.mp4"), "absolute");
  EXPECT_EQ(Content(*shard, "z.mp4"), "after all of it");
  for (const char* none : {"dangling.mp4", "soft.mp4", "../outside.mp4", "outside.mp4"}) {
    EXPECT_THAT(shard->Find(none), StatusIs(absl::StatusCode::kNotFound, HasSubstr(".tar")))
        << none;
  }
  EXPECT_THAT(shard->Find("twice.mp4"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("in the tar twice")));
  EXPECT_THAT(shard->Find("sparse.mp4"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("without --sparse")));
}

// Sparse files of the system's tar in all its forms: also those of one piece, which libarchive does
// not call sparse.
TEST_F(TarShardTest, SparseFilesOfGnuTar) {
  const std::string make = absl::StrCat(
      "cd ", folder_, " && mkdir in && cd in && truncate -s 1M hole && printf data > plain",
      " && printf end | dd of=tail bs=1 seek=1000000 2>/dev/null && printf z > z");
  ASSERT_EQ(std::system(make.c_str()), 0);
  for (const char* form : {"gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1",
                           "pax --sparse-version=1.0"}) {
    const std::string tar = absl::StrCat("cd ", folder_, "/in && tar --sparse --format=", form,
                                         " -cf ../sparse.tar hole plain tail z");
    ASSERT_EQ(std::system(tar.c_str()), 0);
    ASSERT_OK_AND_ASSIGN(const auto shard, TarShard::Open(Path("sparse.tar")));
    EXPECT_THAT(shard->damage(), IsOk()) << form;
    EXPECT_EQ(Content(*shard, "plain"), "data") << form;
    EXPECT_EQ(Content(*shard, "z"), "z") << form;
    EXPECT_THAT(shard->Find("tail"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".tar")))
        << form;
    EXPECT_THAT(shard->Find("hole"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".tar")))
        << form;
  }
}

TEST_F(TarShardTest, CutOffAnywhere) {
  const std::string whole = MakeTestTar(
      {{"a.mp4", std::string(1500, 'a')}, {"b.mp4", std::string(700, 'b')}, {"c.mp4", "c"}},
      TarForm::kUstar);
  // Headers at 0, 2048 and 3584; the last content ends at 4097.
  for (size_t size = 0; size < 4700; size += size % 512 == 0 ? 1 : 511 - size % 512 + 1) {
    const std::string path = Path("cut.tar");
    ASSERT_THAT(WriteFileAtomically(path, whole.substr(0, size)), IsOk());
    const auto shard = TarShard::Open(path);
    if (size < 512) {
      EXPECT_THAT(shard, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(".tar"))) << size;
      continue;
    }
    ASSERT_THAT(shard, IsOk()) << size;
    const std::vector<int64_t> ends = {512 + 1500, 2560 + 700, 4096 + 1};
    const std::vector<int64_t> headers = {0, 2048, 3584};
    for (int i = 0; i < 3; ++i) {
      const auto member = (*shard)->Find(std::string(1, "abc"[i]) + ".mp4");
      if (static_cast<int64_t>(size) >= ends[i]) {
        EXPECT_THAT(member, IsOk()) << size << " " << i;
      } else if (static_cast<int64_t>(size) > headers[i]) {
        EXPECT_THAT(member, StatusIs(absl::StatusCode::kDataLoss,
                                     AllOf(HasSubstr("cut.tar"), HasSubstr("again"))))
            << size << " " << i;
      } else {
        EXPECT_FALSE(member.ok()) << size << " " << i;
      }
    }
  }
}

TEST_F(TarShardTest, DamagedInTheMiddle) {
  std::string bytes =
      MakeTestTar({{"a.mp4", "a"}, {"b.mp4", "b"}, {"c.mp4", "c"}}, TarForm::kUstar);
  bytes[1024 + 3] ^= 0x55;  // in the second header
  ASSERT_THAT(WriteFileAtomically(Path("damaged.tar"), bytes), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto shard, TarShard::Open(Path("damaged.tar")));
  EXPECT_EQ(Content(*shard, "a.mp4"), "a");
  EXPECT_THAT(shard->damage(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("after its member")));
  EXPECT_THAT(shard->Find("c.mp4"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not in the readable part")));
}

TEST_F(TarShardTest, RefusesWhatIsNoTar) {
  EXPECT_THAT(TarShard::Open(Path("none.tar")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(".tar")));
  EXPECT_THAT(TarShard::Open(folder_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a regular file")));
  ASSERT_THAT(WriteFileAtomically(Path("text.tar"), std::string(5000, 'x')), IsOk());
  EXPECT_THAT(TarShard::Open(Path("text.tar")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tar")));
  ASSERT_THAT(WriteFileAtomically(Path("packed.tar"), "\x1F\x8B 123456789"), IsOk());
  EXPECT_THAT(TarShard::Open(Path("packed.tar")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("compressed with gzip")));
}

// Random damage: no crash, no hang, and no member outside the file.
TEST_F(TarShardTest, HostileHeaders) {
  const std::string long_name(300, 'n');
  RandomStream random(1, "tar", {});
  for (const TarForm form : {TarForm::kPax, TarForm::kGnu}) {
    const std::string good = MakeTestTar({{long_name, std::string(600, 'a')},
                                          {"b", "b"},
                                          {"s", std::string(8192, 's'), Kind::kSparse}},
                                         form == TarForm::kGnu ? TarForm::kPax : form);
    for (int round = 0; round < 300; ++round) {
      std::string bytes = good;
      for (int i = 0; i < 3; ++i) {
        bytes[random.UniformInt(bytes.size())] = static_cast<char>(random.UniformInt(256));
      }
      // The checksum of the first header is made right again, so that the damage is looked at.
      int sum = 8 * ' ';
      for (int i = 0; i < 512; ++i) {
        if (i < 148 || i >= 156) sum += static_cast<unsigned char>(bytes[i]);
      }
      bytes.replace(148, 7, absl::StrFormat("%06o", sum) + std::string(1, '\0'));
      bytes[155] = ' ';
      // A new name, because two files may have one time; and without an fsync.
      const std::string path = Path(absl::StrCat(static_cast<int>(form), "_", round, ".tar"));
      std::ofstream(path, std::ios::binary) << bytes;
      const auto shard = TarShard::Open(path);
      if (!shard.ok()) continue;
      for (const TarShard::Entry& entry : (*shard)->List("")) {
        const auto member = (*shard)->Find(entry.name);
        if (!member.ok()) continue;
        EXPECT_GE(member->start, 0);
        EXPECT_GE(member->bytes, 0);
        EXPECT_LE(member->start + member->bytes, static_cast<int64_t>(bytes.size()));
      }
    }
  }
}

TEST_F(TarShardTest, SharesOneListUntilTheFileChanges) {
  const std::string path = WriteTestTar(Path("shared.tar"), {{"a", "1"}});
  std::vector<std::shared_ptr<const TarShard>> opened(4);
  std::vector<std::thread> threads;
  for (auto& shard : opened) {
    threads.emplace_back([&shard, &path] { shard = TarShard::Open(path).value(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& shard : opened) EXPECT_EQ(shard, opened[0]);
  WriteTestTar(path, {{"b", "2"}});
  ASSERT_OK_AND_ASSIGN(const auto changed, TarShard::Open(path));
  EXPECT_EQ(Content(*changed, "b"), "2");
  EXPECT_THAT(changed->Find("a"), StatusIs(absl::StatusCode::kNotFound, HasSubstr(".tar")));
  EXPECT_THAT(opened[0]->Find("a"), IsOk());
}

}  // namespace
}  // namespace op3d::data
