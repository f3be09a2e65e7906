// Clips for tests, whose frames show their number: eight black or white blocks, one bit each.
//
//   const std::string path = WriteTestClip(TestFolder("reader"), "clip.mp4", options, 100);
//   EXPECT_EQ(NumberOf(image), 42);            // survives any codec
#ifndef OP3D_DATA_VIDEO_TESTING_TEST_CLIP_H_
#define OP3D_DATA_VIDEO_TESTING_TEST_CLIP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/video/image/image.h"
#include "data/video/reader/video_reader.h"
#include "data/video/writer/video_writer.h"

namespace op3d::data {

// 64x48, `number` in [0, 256): bit b is white in block (b % 4, b / 4), each 16x24 pixels.
RgbImage NumberedFrame(int number);

// The number shown by such a frame; -1 if the image has another size.
int NumberOf(const RgbImage& image);

// 0, 1, ..., count - 1.
std::vector<int64_t> FirstNumbers(int64_t count);

// The numbers that the frames of `indices` show; empty if one cannot be read or has
// another index.
std::vector<int> Shown(VideoReader* reader, const std::vector<int64_t>& indices);

// Options for a 64x48 clip.
VideoWriterOptions TestClipOptions();

// Writes a clip of the frames first, first + 1, ..., and returns its path.  Aborts the test program
// on failure.
std::string WriteTestClip(const std::string& folder, absl::string_view name,
                          const VideoWriterOptions& options, int frames, int first = 0);

// The same, as the file's bytes.
std::string MakeTestClip(const VideoWriterOptions& options, int frames, int first = 0);

// Two MPEG transport streams concatenated, as a recorder continues a file: no packet is
// missing (the continuity counters continue), whatever the times are.
std::string JoinTransportStreams(absl::string_view first, absl::string_view second);

// The clip in a NUT file whose header says that `delay` pictures may wait for an earlier one.
std::string WithDelay(const std::string& path, int delay);

// One Matroska file of the first video streams of several clips, stream `default_stream` marked as
// the default one.
std::string JoinTestClips(const std::vector<std::string>& paths, int default_stream);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_TESTING_TEST_CLIP_H_
