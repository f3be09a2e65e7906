#include "data/video/stored/packed_video.h"

#include <filesystem>

#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/random_stream.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

class PackedVideoTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    ASSERT_THAT(MakeFolders(folder_), IsOk());
    RandomStream stream(1, "pixels", {});
    for (RgbImage& frame : frames_) {
      frame = {7, 5, {}};
      for (int i = 0; i < 7 * 5 * 3; ++i) {
        frame.pixels.push_back(static_cast<uint8_t>(stream.UniformInt(256)));
      }
    }
  }

  void Pack() {
    ASSERT_OK_AND_ASSIGN(const auto writer, PackedVideoWriter::Make(path_, {3, 7, 5}));
    for (const RgbImage& frame : frames_) ASSERT_THAT(writer->Add(frame), IsOk());
    ASSERT_THAT(writer->Finish(), IsOk());
  }

  std::string Bytes() { return ReadFile(path_).value_or(""); }

  const std::string folder_ = TestFolder("packed_video");
  const std::string path_ = folder_ + "/a.packed";
  std::vector<RgbImage> frames_ = std::vector<RgbImage>(3);
};

TEST_F(PackedVideoTest, GivesTheBytesThatWereWritten) {
  Pack();
  EXPECT_EQ(Bytes().size(), PackedBytes({3, 7, 5}));
  ASSERT_OK_AND_ASSIGN(const VideoInfo info, DescribePackedVideo(path_, VideoLimits()));
  EXPECT_EQ(info.frames, 3);
  EXPECT_EQ(info.width, 7);
  EXPECT_EQ(info.height, 5);
  EXPECT_EQ(info.codec, "packed");
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenPackedVideo(path_, VideoLimits()));
  EXPECT_TRUE(reader->IsInMemory());
  std::vector<int64_t> seen;
  ASSERT_THAT(reader->Read({0, 2},
                           [&](int64_t k, const RgbImage& image) {
                             seen.push_back(k);
                             EXPECT_EQ(image.pixels, frames_[k].pixels);
                             return absl::OkStatus();
                           }),
              IsOk());
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 2}));
  ASSERT_THAT(reader->SetBox({2, 1, 4, 3}), IsOk());
  ASSERT_THAT(reader->Read({1},
                           [&](int64_t, const RgbImage& image) {
                             EXPECT_EQ(image.width, 4);
                             EXPECT_EQ(image.height, 3);
                             for (int y = 0; y < 3; ++y) {
                               for (int i = 0; i < 12; ++i) {
                                 EXPECT_EQ(image.pixels[y * 12 + i],
                                           frames_[1].pixels[(1 + y) * 21 + 6 + i]);
                               }
                             }
                             return absl::OkStatus();
                           }),
              IsOk());
  EXPECT_THAT(reader->Read({3}, [](int64_t, const RgbImage&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("frame 3")));
}

TEST_F(PackedVideoTest, AnyChangedByteIsNoticed) {
  Pack();
  const std::string good = Bytes();
  const int64_t table = 28 + 3 * 4;
  for (int64_t place = 0; place < static_cast<int64_t>(good.size()); ++place) {
    if (place == table) place = 4096;  // the rest of the page is not used
    std::string bad = good;
    bad[place] = static_cast<char>(bad[place] ^ 0x10);
    ASSERT_THAT(WriteFileAtomically(path_, bad), IsOk());
    const auto reader = OpenPackedVideo(path_, VideoLimits());
    absl::Status status = reader.status();
    if (reader.ok()) {
      status =
          (*reader)->Read({0, 1, 2}, [](int64_t, const RgbImage&) { return absl::OkStatus(); });
    }
    ASSERT_FALSE(status.ok()) << "byte " << place;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
  }
}

TEST_F(PackedVideoTest, TruncatedOrForeignFilesAreRefused) {
  Pack();
  const std::string good = Bytes();
  for (const size_t length : {size_t{0}, size_t{100}, size_t{4096}, good.size() - 1}) {
    ASSERT_THAT(WriteFileAtomically(path_, good.substr(0, length)), IsOk());
    EXPECT_THAT(OpenPackedVideo(path_, VideoLimits()),
                StatusIs(kDataLoss, HasSubstr("make it again")))
        << length;
  }
  ASSERT_THAT(WriteFileAtomically(path_, good + "x"), IsOk());
  EXPECT_THAT(OpenPackedVideo(path_, VideoLimits()),
              StatusIs(kDataLoss, HasSubstr("instead of")));
  ASSERT_THAT(WriteFileAtomically(path_, std::string(5000, 'x')), IsOk());
  EXPECT_THAT(OpenPackedVideo(path_, VideoLimits()),
              StatusIs(kDataLoss, HasSubstr("is not a packed video")));
  EXPECT_THAT(OpenPackedVideo(folder_ + "/none.packed", VideoLimits()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.packed")));
  VideoLimits limits;
  limits.max_frames = 2;
  ASSERT_THAT(WriteFileAtomically(path_, good), IsOk());
  EXPECT_THAT(OpenPackedVideo(path_, limits),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("loader.max_frames")));
}

TEST_F(PackedVideoTest, AnUnfinishedFileLeavesNothing) {
  {
    ASSERT_OK_AND_ASSIGN(const auto writer, PackedVideoWriter::Make(path_, {3, 7, 5}));
    ASSERT_THAT(writer->Add(frames_[0]), IsOk());
    // Another process must not write the same file.
    EXPECT_THAT(PackedVideoWriter::Make(path_, {3, 7, 5}),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another process")));
    EXPECT_THAT(writer->Finish(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 of 3 frames")));
    EXPECT_THAT(writer->Add({5, 7, frames_[0].pixels}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not fit")));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, ListFolder(folder_));
  EXPECT_THAT(names, IsEmpty());
  EXPECT_THAT(PackedVideoWriter::Make(path_, {0, 7, 5}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 frames")));
}

}  // namespace
}  // namespace op3d::data
