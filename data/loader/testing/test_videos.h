// Small videos for tests, whose frames differ from each other.
#ifndef OP3D_DATA_LOADER_TESTING_TEST_VIDEOS_H_
#define OP3D_DATA_LOADER_TESTING_TEST_VIDEOS_H_

#include <string>
#include <vector>

#include "data/annotation/video_list.h"
#include "data/video/media.h"
#include "data/video/writer/video_writer.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/testing/status_matchers.h"

namespace op3d::data {

constexpr int kTestWidth = 32;
constexpr int kTestHeight = 24;

// A bar that moves down over a ramp; the colours depend on the video.
inline RgbImage TestFrame(int video, int frame) {
  RgbImage image = {kTestWidth, kTestHeight, {}};
  for (int y = 0; y < kTestHeight; ++y) {
    for (int x = 0; x < kTestWidth; ++x) {
      const bool bar = (y + kTestHeight - frame % kTestHeight) % kTestHeight < 4;
      for (int c = 0; c < 3; ++c) {
        image.pixels.push_back(bar ? 40 * (video % 6) + 20 * c : 7 * x + 10 * (c == video % 3));
      }
    }
  }
  return image;
}

// `count` videos of 20, 21, 22 ... frames in a new folder; labels 0, 1, 2, 0, ...
inline std::vector<Video> MakeTestVideos(int count, const std::string& folder) {
  std::vector<Video> videos;
  const std::string root = TestFolder(folder);
  for (int i = 0; i < count; ++i) {
    VideoWriterOptions options;
    options.width = kTestWidth;
    options.height = kTestHeight;
    auto writer = VideoWriter::Make(options);
    EXPECT_THAT(writer, IsOk());
    Video video = {"v" + std::to_string(i), "", i % 3, 20 + i};
    for (int k = 0; k < video.frames; ++k) EXPECT_THAT((*writer)->Add(TestFrame(i, k)), IsOk());
    video.path = JoinPath(root, video.name + ".mp4");
    const auto bytes = (*writer)->Finish();
    EXPECT_THAT(bytes, IsOk());
    EXPECT_THAT(WriteFileAtomically(video.path, *bytes), IsOk());
    videos.push_back(video);
  }
  return videos;
}

// All frames of a video, decoded without a store.
inline std::vector<RgbImage> DecodeAll(const Video& video) {
  auto reader = OpenMedia(video.path);
  EXPECT_THAT(reader, IsOk());
  std::vector<int64_t> all;
  for (int64_t k = 0; k < (*reader)->info().frames; ++k) all.push_back(k);
  std::vector<RgbImage> frames;
  EXPECT_THAT((*reader)->Read(all,
                              [&](int64_t, const RgbImage& image) {
                                frames.push_back(image);
                                return absl::OkStatus();
                              }),
              IsOk());
  return frames;
}

}  // namespace op3d::data

#endif  // OP3D_DATA_LOADER_TESTING_TEST_VIDEOS_H_
