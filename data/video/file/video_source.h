// Where the bytes of a video file are: a file of their own, or a part of one (a member of a tar).
//
//   Demuxer::Open("a.mp4", limits);                                   // a whole file
//   VideoSource member("shard.tar/a.mp4");
//   member.file = "shard.tar", member.start = 1536, member.bytes = 80'000;
#ifndef OP3D_DATA_VIDEO_FILE_VIDEO_SOURCE_H_
#define OP3D_DATA_VIDEO_FILE_VIDEO_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace op3d::data {

struct VideoSource {
  // The whole file `path`.  Implicit, because most videos are that.
  VideoSource(std::string path) : name(path), file(std::move(path)) {}  // NOLINT
  VideoSource(const char* path) : name(path), file(path) {}             // NOLINT

  // What messages call the video.
  std::string name;
  // The file that holds it.
  std::string file;
  // Its part of the file, in bytes; -1 = the whole file.
  int64_t start = 0;
  int64_t bytes = -1;
  // Something that must live as long as the file is read, such as a lock; null for most.
  std::shared_ptr<const void> keep;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_FILE_VIDEO_SOURCE_H_
