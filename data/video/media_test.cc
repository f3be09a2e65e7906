#include "data/video/media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <vector>

#include "data/datasets/dataset.pb.h"
#include "data/video/image/jpeg.h"
#include "data/video/remote/remote_files.h"
#include "data/video/stored/frame_lmdb.h"
#include "data/video/testing/test_clip.h"
#include "data/video/testing/test_server.h"
#include "data/video/testing/test_tar.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kFrames = 40;

std::string FrameFile(const char* format, int number) {
  char name[32];
  std::snprintf(name, sizeof(name), format, number);
  return name;
}

std::string Jpeg(const RgbImage& image) {
  absl::StatusOr<std::string> bytes = EncodeJpeg(image, 90);
  EXPECT_THAT(bytes, IsOk());
  return *std::move(bytes);
}

class MediaTest : public testing::Test {
 protected:
  // A new folder of test frames, the first one `first`.
  std::string WriteFolder(const std::string& name, const char* format, int frames) const {
    const std::string path = JoinPath(folder_, name);
    EXPECT_THAT(MakeFolders(path), IsOk());
    for (int k = 0; k < frames; ++k) {
      EXPECT_THAT(
          WriteFileAtomically(JoinPath(path, FrameFile(format, k + 1)), Jpeg(NumberedFrame(k))),
          IsOk());
    }
    return path;
  }

  std::string WriteLmdb(const std::string& name, int frames) const {
    std::vector<LmdbPicture> pictures;
    for (int k = 0; k < frames; ++k) {
      pictures.push_back({FrameFile("%06d.jpg", k + 1), Jpeg(NumberedFrame(k))});
      // Flow is in the same database: x grows, y falls with the frame number.
      for (const int c : {1, 2}) {
        RgbImage grey = {16, 8, std::vector<uint8_t>(16 * 8 * 3, c == 1 ? 3 * k : 255 - 3 * k)};
        pictures.push_back({FrameFile(c == 1 ? "%06d_c1.jpg" : "%06d_c2.jpg", k + 1), Jpeg(grey)});
      }
    }
    const std::string path = JoinPath(folder_, name);
    EXPECT_THAT(WriteFrameLmdb(path, pictures), IsOk());
    return path;
  }

  // A shard with a clip between other members, and a folder of frames.
  std::string WriteTar(const std::string& name, int frames) const {
    std::vector<TestMember> members = {{"a.cls", "3"},
                                       {"run/clip.mp4", MakeTestClip(TestClipOptions(), frames)},
                                       {"b.mp4", MakeTestClip(TestClipOptions(), 5, 100)}};
    for (int k = 0; k < frames; ++k) {
      members.push_back({FrameFile("frames/%05d.jpg", k + 1), Jpeg(NumberedFrame(k))});
    }
    return WriteTestTar(JoinPath(folder_, name), members);
  }

  const std::string folder_ = TestFolder("media");
};

TEST_F(MediaTest, GivesTheSameFramesFromEachStoredForm) {
  for (const std::string& path :
       {WriteTestClip(folder_, "clip.mp4", TestClipOptions(), kFrames),
        WriteFolder("folder", "%05d.jpg", kFrames), WriteFolder("img", "img_%05d.jpg", kFrames),
        WriteLmdb("lmdb", kFrames), JoinPath(folder_, "lmdb/data.mdb"),
        WriteTar("shard.tar", kFrames) + "/run/clip.mp4",
        JoinPath(folder_, "shard.tar/./frames/")}) {
    ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(path));
    EXPECT_EQ(scan.info.frames, kFrames) << path;
    EXPECT_EQ(scan.info.width, 64) << path;
    EXPECT_EQ(scan.info.height, 48) << path;
    EXPECT_THAT(scan.info.warnings, ElementsAre()) << path;
    for (const bool scanned : {false, true}) {
      const auto opened = scanned ? OpenMedia(path, scan) : OpenMedia(path);
      ASSERT_THAT(opened, IsOk());
      VideoReader* reader = opened->get();
      EXPECT_EQ(reader->info().frames, kFrames);
      std::vector<int64_t> all(kFrames);
      std::iota(all.begin(), all.end(), int64_t{0});
      const std::vector<int> shown = Shown(reader, all);
      EXPECT_EQ(std::vector<int64_t>(shown.begin(), shown.end()), all) << path;
      EXPECT_THAT(Shown(reader, {2, 39}), ElementsAre(2, 39)) << path;
      EXPECT_THAT(Shown(reader, {7}), ElementsAre(7)) << path;
      EXPECT_THAT(
          reader->Read({0, kFrames}, [](int64_t, const RgbImage&) { return absl::OkStatus(); }),
          StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("no frame 40")));
    }
  }
}

TEST_F(MediaTest, GivesAPartOfEachFrame) {
  VideoWriterOptions turned = TestClipOptions();
  turned.rotation = 90;
  for (const std::string& path :
       {WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 3),
        WriteTestClip(folder_, "turned.mp4", turned, 3), WriteFolder("folder", "%05d.jpg", 3)}) {
    ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(path));
    RgbImage whole;
    const auto keep = [&](RgbImage* image) {
      return [image](int64_t, const RgbImage& read) {
        *image = read;
        return absl::OkStatus();
      };
    };
    ASSERT_THAT(reader->Read({1}, keep(&whole)), IsOk());
    const Box box = {7, 11, 20, 30};
    ASSERT_THAT(reader->SetBox(box), IsOk());
    RgbImage part;
    ASSERT_THAT(reader->Read({1}, keep(&part)), IsOk());
    ASSERT_EQ(part.width, 20);
    ASSERT_EQ(part.height, 30);
    for (int y = 0; y < 30; ++y) {
      const auto row = whole.pixels.begin() + 3 * ((11 + y) * whole.width + 7);
      ASSERT_TRUE(std::equal(row, row + 60, part.pixels.begin() + 60 * y)) << path << y;
    }
    EXPECT_THAT(reader->SetBox({whole.width - 5, 0, 6, 1}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not lie in")));
    EXPECT_THAT(reader->SetBox({0, 0, 0, 1}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0x1")));
  }
}

TEST_F(MediaTest, ReadsFlowAsRedAndGreen) {
  MediaOptions options;
  options.content = FrameContent::kFlow;
  ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(WriteLmdb("flow", kFrames), options));
  EXPECT_EQ(reader->info().frames, kFrames);
  EXPECT_EQ(reader->info().width, 16);
  int calls = 0;
  ASSERT_THAT(reader->Read({5, 30},
                           [&](int64_t k, const RgbImage& image) {
                             ++calls;
                             EXPECT_NEAR(image.pixels[0], 3 * k, 1);
                             EXPECT_NEAR(image.pixels[1], 255 - 3 * k, 1);
                             EXPECT_EQ(image.pixels[2], 0);
                             return absl::OkStatus();
                           }),
              IsOk());
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(OpenMedia(WriteTestClip(folder_, "clip.mp4", TestClipOptions(), 3), options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no flow")));
}

// Every byte is read through the part of the file: also by the demuxers that seek to its end, those
// that open it again, and those that count frames by decoding.
TEST_F(MediaTest, AMemberOfATarIsTheFile) {
  const auto pixels = [](VideoReader* reader) {
    std::vector<std::vector<uint8_t>> frames;
    for (const int64_t k : {31, 2, 39, 0}) {
      const auto keep = [&frames](int64_t, const RgbImage& image) {
        frames.push_back(image.pixels);
        return absl::OkStatus();
      };
      EXPECT_THAT(reader->Read({k}, keep), IsOk());
    }
    return frames;
  };
  for (const char* name :
       {"clip.mp4", "clip.avi", "clip.mkv", "clip.webm", "clip.ts", "clip.mov"}) {
    const std::string path = WriteTestClip(folder_, name, TestClipOptions(), kFrames);
    ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path));
    for (const bool damaged : {false, true}) {
      std::string content = bytes;
      if (damaged) content[content.size() / 2] ^= 0x55;
      ASSERT_THAT(WriteFileAtomically(path, content), IsOk());
      const std::string tar =
          WriteTestTar(path + (damaged ? ".damaged.tar" : ".tar"),
                       {{"before.mp4", bytes}, {name, content}, {"after.mp4", bytes}});
      const auto plain = OpenMedia(path);
      const auto member = OpenMedia(JoinPath(tar, name));
      ASSERT_EQ(plain.ok(), member.ok()) << name << plain.status() << member.status();
      if (!plain.ok()) continue;
      EXPECT_EQ((*plain)->info().frames, (*member)->info().frames) << name;
      EXPECT_EQ((*plain)->info().pts_seconds, (*member)->info().pts_seconds) << name;
      EXPECT_EQ((*plain)->info().warnings, (*member)->info().warnings) << name;
      if (damaged) continue;
      EXPECT_EQ(pixels(plain->get()), pixels(member->get())) << name;
    }
  }
}

// Frames, times and warnings of a URL are those of the file, also when the connection breaks and
// when the cache drops the file while it is read.
TEST_F(MediaTest, AUrlIsTheFile) {
  const std::string path = WriteTestClip(folder_, "clip.mp4", TestClipOptions(), kFrames);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path));
  ASSERT_OK_AND_ASSIGN(const std::string tar, ReadFile(WriteTar("remote.tar", kFrames)));
  TestServer server([&](const TestServer::Request& request, TestServer::Connection* connection) {
    const std::string& content = request.target.find(".tar") == std::string::npos ? bytes : tar;
    if (request.start == 0 && request.target != "/cut.mp4") {
      connection->SendPart(content, content.size() / 2, "\"v\"");
    } else if (request.target != "/cut.mp4") {
      connection->SendFile(request, content, "\"v\"");
    } else {
      connection->SendFile(request, content.substr(0, content.size() * 2 / 3));
    }
  });
  RemoteSettings settings;
  settings.add_allowed_hosts(server.host());
  settings.set_cache_folder(JoinPath(folder_, "cache"));
  settings.set_retry_seconds(0.01);
  MediaOptions options;
  ASSERT_OK_AND_ASSIGN(options.remote, RemoteFiles::Make(settings));
  std::vector<int64_t> all(kFrames);
  std::iota(all.begin(), all.end(), int64_t{0});
  ASSERT_OK_AND_ASSIGN(const VideoScan local, ScanMedia(path));
  for (const char* target : {"/clip.mp4", "/remote.tar/run/clip.mp4", "/remote.tar/frames"}) {
    const std::string url = server.Url(target);
    ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(url, options));
    EXPECT_EQ(scan.info.frames, kFrames) << url;
    const bool timed = !scan.info.pts_seconds.empty();  // stored frames have no times
    EXPECT_TRUE(!timed || scan.info.pts_seconds == local.info.pts_seconds) << url;
    EXPECT_THAT(scan.info.warnings, ElementsAre()) << url;
    ASSERT_OK_AND_ASSIGN(const auto reader, OpenMedia(url, scan, options));
    const std::vector<int> shown = Shown(reader.get(), all);
    EXPECT_EQ(std::vector<int64_t>(shown.begin(), shown.end()), all) << url;
    EXPECT_THAT(Shown(reader.get(), {7}), ElementsAre(7)) << url;  // opens it again
  }
  EXPECT_EQ(server.requests(), 4);
  // A file that is shorter on the server than it should be is a broken video like any other.
  const absl::Status cut = ScanMedia(server.Url("/cut.mp4"), options).status();
  ASSERT_THAT(WriteFileAtomically(path, bytes.substr(0, bytes.size() * 2 / 3)), IsOk());
  EXPECT_EQ(cut.code(), ScanMedia(path).status().code());
  EXPECT_THAT(ScanMedia(server.Url("/clip.mp4")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("remote data is off")));
}

TEST_F(MediaTest, SaysWhatIsWrongWithATar) {
  const std::string tar = WriteTar("whole.tar", 3);
  EXPECT_THAT(ScanMedia(tar + "/none.mp4"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("whole.tar/none.mp4")));
  EXPECT_THAT(ScanMedia(tar + "/a.cls"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("whole.tar/a.cls")));
  EXPECT_THAT(ScanMedia(tar + "/run"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("holds no frames")));
  MediaOptions flow;
  flow.content = FrameContent::kFlow;
  EXPECT_THAT(ScanMedia(tar + "/b.mp4", flow),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no flow")));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(tar));
  const std::string cut = JoinPath(folder_, "cut.tar");
  ASSERT_THAT(WriteFileAtomically(cut, bytes.substr(0, 2000)), IsOk());
  EXPECT_THAT(ScanMedia(cut + "/run/clip.mp4"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is cut off at 2000 bytes")));
  EXPECT_THAT(ScanMedia(cut + "/b.mp4"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not in the readable part")));
}

TEST_F(MediaTest, NamesADamagedFrame) {
  const std::string path = WriteFolder("damaged", "%05d.jpg", 5);
  const std::string third = JoinPath(path, "00003.jpg");
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(third));
  const auto read = [&] {
    const auto reader = OpenMedia(path);
    EXPECT_THAT(reader, IsOk());
    return (*reader)->Read({1, 2}, [](int64_t, const RgbImage&) { return absl::OkStatus(); });
  };
  ASSERT_THAT(WriteFileAtomically(third, bytes.substr(0, 300)), IsOk());
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("00003.jpg")));
  ASSERT_THAT(WriteFileAtomically(third, ""), IsOk());
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("00003.jpg")));
  RgbImage small = {16, 16, std::vector<uint8_t>(16 * 16 * 3, 128)};
  ASSERT_THAT(WriteFileAtomically(third, Jpeg(small)), IsOk());
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr("16x16"), HasSubstr("first frame is 64x48"))));
}

TEST_F(MediaTest, NoticesFramesThatCameOrWent) {
  const std::string path = WriteFolder("grown", "%05d.jpg", 3);
  ASSERT_OK_AND_ASSIGN(const VideoScan scan, ScanMedia(path));
  WriteFolder("grown", "%05d.jpg", 4);
  EXPECT_THAT(OpenMedia(path, scan),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("has 4"), HasSubstr("had 3"))));
}

TEST_F(MediaTest, RefusesWhatIsNoVideo) {
  EXPECT_THAT(OpenMedia(folder_),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("holds no frames")));
  EXPECT_THAT(OpenMedia(JoinPath(folder_, "none")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  MediaOptions small;
  small.limits.max_pixels = 64 * 48 - 1;
  small.limits.max_frames = 2;
  const std::string path = WriteFolder("big", "%05d.jpg", 2);
  EXPECT_THAT(OpenMedia(path, small),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("pixels")));
  WriteFolder("big", "%05d.jpg", 3);
  EXPECT_THAT(OpenMedia(path, small),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit of 2")));
}

}  // namespace
}  // namespace op3d::data
