#include "data/command/transcode.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "data/index/scan_record.h"
#include "data/transform/resize.h"
#include "data/video/media.h"
#include "data/video/testing/test_clip.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TranscodeTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.root = TestFolder("root");
    options_.out = TestFolder("transcoded") + "/copy";
    options_.copy.short_side = 32;
    options_.threads = 2;
    ASSERT_THAT(MakeFolders(options_.root + "/videos/wave hand"), IsOk());
    ASSERT_THAT(MakeFolders(options_.root + "/lists"), IsOk());
    ASSERT_THAT(WriteFileAtomically(options_.root + "/lists/test.txt", "wave hand/0.mp4 0\r\n"),
                IsOk());
    for (int i = 0; i < 3; ++i) {
      const std::string path = WriteTestClip(options_.root + "/videos/wave hand",
                                             std::to_string(i) + ".mp4", TestClipOptions(), 20);
      videos_.push_back({std::to_string(i), path, 0, 20});
    }
    videos_.push_back({"gone", options_.root + "/videos/gone.mp4", 0, 20});
  }

  TranscodeOptions options_;
  std::vector<Video> videos_;
};

TEST_F(TranscodeTest, ACopyWithTheSameListsAndFrames) {
  ASSERT_OK_AND_ASSIGN(const TranscodeReport report, TranscodeVideos(videos_, options_));
  EXPECT_EQ(report.written, 3);
  EXPECT_EQ(report.earlier, 0);
  ASSERT_EQ(report.failed.size(), 1);
  EXPECT_EQ(report.failed[0].name, "gone");
  int64_t before = 0, after = 0;
  for (const char* name : {"0.mp4", "1.mp4", "2.mp4"}) {
    const std::string below = std::string("/videos/wave hand/") + name;
    before += static_cast<int64_t>(std::filesystem::file_size(options_.root + below));
    after += static_cast<int64_t>(std::filesystem::file_size(options_.out + below));
  }
  EXPECT_EQ(report.bytes_before, before);
  EXPECT_EQ(report.bytes_after, after);
  EXPECT_EQ(report.measured, 3);
  EXPECT_GT(report.clip_milliseconds_after, 0);
  ASSERT_OK_AND_ASSIGN(const std::string list, ReadFile(options_.out + "/lists/test.txt"));
  EXPECT_EQ(list, "wave hand/0.mp4 0\r\n");
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(options_.out + "/videos/wave hand/1.mp4"));
  EXPECT_EQ(scan.info.frames, 20);
  EXPECT_EQ(scan.info.height, 32);
  const auto json = nlohmann::json::parse(TranscodeReportJson(report));
  EXPECT_EQ(json["written"], 3);
  EXPECT_THAT(json["failed"][0]["reason"].get<std::string>(), HasSubstr("gone.mp4"));
  EXPECT_THAT(TranscodeReportText(report), HasSubstr("3 videos written, 0 were there"));
}

TEST_F(TranscodeTest, StartedAgainItMakesWhatIsNotThere) {
  ASSERT_THAT(TranscodeVideos(videos_, options_), IsOk());
  const std::string lost = options_.out + "/videos/wave hand/1.mp4";
  ASSERT_OK_AND_ASSIGN(const std::string before, ReadFile(lost));
  ASSERT_THAT(RemoveFile(lost), IsOk());
  ASSERT_OK_AND_ASSIGN(const TranscodeReport report, TranscodeVideos(videos_, options_));
  EXPECT_EQ(report.written, 1);
  EXPECT_EQ(report.earlier, 2);
  ASSERT_OK_AND_ASSIGN(const std::string again, ReadFile(lost));
  EXPECT_EQ(again, before);
}

TEST_F(TranscodeTest, NoCopyStandsForAnotherVideo) {
  const std::string path =
      WriteTestClip(options_.root + "/videos/wave hand", "0.avi", TestClipOptions(), 10);
  videos_.push_back({"0", path, 1, 10});
  ASSERT_OK_AND_ASSIGN(const TranscodeReport report, TranscodeVideos(videos_, options_));
  EXPECT_EQ(report.written, 3);
  ASSERT_EQ(report.failed.size(), 2);
  EXPECT_EQ(report.failed[1].path, path);
  EXPECT_THAT(report.failed[1].reason, HasSubstr("0.mp4"));
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(options_.out + "/videos/wave hand/0.mp4"));
  EXPECT_EQ(scan.info.frames, 20);
}

TEST_F(TranscodeTest, APackHasThePicturesOfTheSourceResizedOnce) {
  options_.copy.form = VideoForm::kPacked;
  const PackSize size = PackSizeOf(videos_, options_.copy);
  EXPECT_EQ(size.videos, 4);
  EXPECT_EQ(size.frames, 60);
  ASSERT_OK_AND_ASSIGN(const TranscodeReport report, TranscodeVideos(videos_, options_));
  EXPECT_EQ(report.written, 3);
  EXPECT_EQ(report.bytes_after, size.bytes);
  EXPECT_EQ(CopyNote(options_.out),
            absl::StrCat(R"({"form":"packed","short_side":32,"videos":4,)", R"("list_crc32":")",
                         absl::Hex(VideoListCrc32(videos_), absl::kZeroPad8), "\"}"));
  const std::string packed = options_.out + "/videos/wave hand/1.packed";
  // The loader's own resize of the source gives the same bytes.
  ASSERT_OK_AND_ASSIGN(Resize resize, Resize::Make({0, 0, 64, 48}, 42, 32, {0, 0, 42, 32}));
  ASSERT_OK_AND_ASSIGN(const auto source, OpenMedia(videos_[1].path));
  std::vector<std::vector<uint8_t>> expected;
  const std::vector<int64_t> frames = FirstNumbers(20);
  ASSERT_THAT(
      source->Read(frames,
                   [&](int64_t, const RgbImage& image) {
                     expected.emplace_back(42 * 32 * 3);
                     resize.Apply(image.pixels.data(), {0, 0, 64, 48}, expected.back().data());
                     return absl::OkStatus();
                   }),
      IsOk());
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(packed));
  ASSERT_THAT(reader->Read(frames,
                           [&](int64_t k, const RgbImage& image) {
                             EXPECT_EQ(image.width, 42);
                             EXPECT_EQ(image.pixels, expected[k]);
                             return absl::OkStatus();
                           }),
              IsOk());
}

TEST_F(TranscodeTest, ADamagedPartOfAPackIsMadeAgainAndAnotherListRefused) {
  options_.copy.form = VideoForm::kPacked;
  ASSERT_THAT(TranscodeVideos(videos_, options_), IsOk());
  const std::string packed = options_.out + "/videos/wave hand/1.packed";
  ASSERT_OK_AND_ASSIGN(const std::string good, ReadFile(packed));
  ASSERT_THAT(WriteFileAtomically(packed, good.substr(0, good.size() / 2)), IsOk());
  ASSERT_OK_AND_ASSIGN(const TranscodeReport report, TranscodeVideos(videos_, options_));
  EXPECT_EQ(report.written, 1);
  EXPECT_EQ(report.earlier, 2);
  ASSERT_OK_AND_ASSIGN(const std::string again, ReadFile(packed));
  EXPECT_EQ(again, good);
  // One pixel of the last frame.
  std::string changed = good;
  changed.back() ^= 1;
  ASSERT_THAT(WriteFileAtomically(packed, changed), IsOk());
  ASSERT_OK_AND_ASSIGN(const TranscodeReport second, TranscodeVideos(videos_, options_));
  EXPECT_EQ(second.written, 1);
  EXPECT_EQ(*ReadFile(packed), good);
  // The same videos in another order are the same list.
  std::swap(videos_[0], videos_[2]);
  EXPECT_THAT(TranscodeVideos(videos_, options_), IsOk());
  videos_.pop_back();
  EXPECT_THAT(TranscodeVideos(videos_, options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("a pack of another list")));
}

TEST_F(TranscodeTest, APackThatDoesNotFitIsRefusedBeforehand) {
  options_.copy.form = VideoForm::kPacked;
  VideoScan scan;
  scan.info.frames = 2'000'000;
  scan.info.width = scan.info.height = 8192;
  options_.copy.short_side = 8192;
  for (int i = 0; i < 100; ++i) {
    videos_.push_back({absl::StrCat("huge", i), "", 0, scan.info.frames, EncodeScan(scan)});
  }
  EXPECT_THAT(TranscodeVideos(videos_, options_),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("smaller --short_side")));
  // Nothing is there that would refuse another size.
  EXPECT_FALSE(FolderExists(options_.out));
}

TEST_F(TranscodeTest, AnEditedNoteIsASentence) {
  options_.copy.form = VideoForm::kPacked;
  ASSERT_THAT(MakeFolders(options_.out), IsOk());
  ASSERT_THAT(WriteFileAtomically(JoinPath(options_.out, kCopyNoteFile), R"({"list_crc32":"x"})"),
              IsOk());
  EXPECT_THAT(TranscodeVideos(videos_, options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("a pack of another list")));
}

TEST_F(TranscodeTest, ACopyOfACopyHasItsOwnNoteAndTheOthers) {
  ASSERT_THAT(TranscodeVideos(videos_, options_), IsOk());
  const std::string first = CopyNote(options_.out);
  EXPECT_THAT(first, HasSubstr(R"("form":"video","short_side":32)"));
  for (Video& video : videos_) {
    video.path = options_.out + video.path.substr(options_.root.size());
    video.scan.clear();
  }
  options_.root = options_.out;
  options_.out = TestFolder("copy_of_copy") + "/copy";
  options_.copy.form = VideoForm::kPacked;
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const TranscodeReport report, TranscodeVideos(videos_, options_));
    EXPECT_EQ(report.written + report.earlier, 3);
    EXPECT_THAT(CopyNote(options_.out),
                AllOf(HasSubstr(R"({"form":"packed")"), HasSubstr(R"("source":)" + first)));
  }
}

TEST_F(TranscodeTest, NeverWritesOverSomethingElse) {
  ASSERT_THAT(TranscodeVideos(videos_, options_), IsOk());
  options_.copy.crf = 30;
  EXPECT_THAT(TranscodeVideos(videos_, options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("other options")));
  options_.out = options_.root + "/videos/new";
  EXPECT_THAT(TranscodeVideos(videos_, options_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("inside")));
  options_.out = TestFolder("mine");
  ASSERT_THAT(WriteFileAtomically(options_.out + "/letter.txt", "dear"), IsOk());
  EXPECT_THAT(TranscodeVideos(videos_, options_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("letter.txt")));
}

}  // namespace
}  // namespace op3d::data
