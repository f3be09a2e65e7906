#include "data/index/video_index.h"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/video/ffmpeg/ffmpeg_version.h"
#include "data/video/remote/remote_url.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr char kMagic[] = "op3dindx";
// Increase it whenever a scan of an unchanged file may give another result than before.
constexpr char kFormat[] = "2";

// The bytes before the checksum: the magic and, on the same line, the versions.
std::string Header() { return absl::StrCat(kMagic, " ", kFormat, ", ", FfmpegVersion(), "\n"); }

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the index is damaged: ", what));
}

}  // namespace

VideoIndex::VideoIndex(std::string root) : root_(std::move(root)) {
  if (!root_.empty() && root_.back() != '/') root_ += '/';
}

absl::StatusOr<VideoIndex> VideoIndex::Read(const std::string& file, std::string root) {
  if (!FileExists(file)) return VideoIndex(std::move(root));
  OP3D_ASSIGN_OR_RETURN(const std::string content, ReadFile(file));
  absl::StatusOr<VideoIndex> index = Parse(content, std::move(root));
  if (!index.ok()) return Annotate(index.status(), file);
  return index;
}

absl::StatusOr<VideoIndex> VideoIndex::Parse(absl::string_view content, std::string root) {
  VideoIndex index(std::move(root));
  if (!absl::StartsWith(content, kMagic)) return Damaged("it does not start as one");
  const size_t line = content.find('\n');
  if (line == absl::string_view::npos) return Damaged("it is cut off");
  if (content.substr(0, line + 1) != Header()) return index;
  content.remove_prefix(line + 1);
  uint32_t crc32 = 0;
  if (content.size() < sizeof(crc32)) return Damaged("it is cut off");
  std::memcpy(&crc32, content.data(), sizeof(crc32));
  content.remove_prefix(sizeof(crc32));
  if (Crc32(content) != crc32) return Damaged("its checksum is wrong");
  google::protobuf::Arena arena;
  auto* records = google::protobuf::Arena::CreateMessage<IndexContent>(&arena);
  if (content.size() > INT32_MAX ||
      !records->ParseFromArray(content.data(), static_cast<int>(content.size()))) {
    return Damaged("it cannot be parsed");
  }
  index.videos_.reserve(records->videos_size());
  for (IndexRecord& record : *records->mutable_videos()) index.InsertMessage(&record);
  return index;
}

VideoIndex::Key VideoIndex::KeyOf(const std::string& path, FrameContent content) const {
  const bool below = !root_.empty() && absl::StartsWith(path, root_);
  return {below ? path.substr(root_.size()) : path, content == FrameContent::kFlow};
}

std::string VideoIndex::FullPath(const std::string& path) const {
  return absl::StartsWith(path, "/") || IsUrl(path) ? path : absl::StrCat(root_, path);
}

const IndexedVideo* VideoIndex::Find(const std::string& path, FrameContent content) const {
  const auto found = videos_.find(KeyOf(path, content));
  return found == videos_.end() ? nullptr : &found->second;
}

void VideoIndex::Insert(const std::string& path, FrameContent content, IndexedVideo video) {
  videos_[KeyOf(path, content)] = std::move(video);
}

void VideoIndex::Erase(const std::string& path, FrameContent content) {
  videos_.erase(KeyOf(path, content));
}

void VideoIndex::InsertMessage(IndexRecord* record) {
  IndexedVideo video;
  video.stamp = {record->bytes(), record->modified_nanoseconds()};
  video.frames = record->frames();
  video.scan = std::move(*record->mutable_scan());
  if (record->error_code() != 0) {
    video.status = absl::Status(static_cast<absl::StatusCode>(record->error_code()),
                                absl::StrCat(FullPath(record->path()), record->error()));
  }
  videos_[{std::move(*record->mutable_path()), record->flow()}] = std::move(video);
}

void VideoIndex::FillRecord(const Key& key, const IndexedVideo& video, IndexRecord* record) const {
  record->set_path(key.first);
  record->set_flow(key.second);
  record->set_bytes(video.stamp.bytes);
  record->set_modified_nanoseconds(video.stamp.modified_nanoseconds);
  record->set_frames(video.frames);
  record->set_scan(video.scan);
  if (video.status.ok()) return;
  record->set_error_code(static_cast<int>(video.status.code()));
  absl::string_view message = video.status.message();
  const bool names_path = absl::ConsumePrefix(&message, FullPath(key.first));
  record->set_error(absl::StrCat(names_path ? "" : ": ", message));
}

std::string VideoIndex::EncodeRecord(const std::string& path, FrameContent content,
                                     const IndexedVideo& video) const {
  IndexRecord record;
  FillRecord(KeyOf(path, content), video, &record);
  return record.SerializeAsString();
}

absl::Status VideoIndex::InsertRecord(absl::string_view bytes) {
  IndexRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Damaged("a record cannot be parsed");
  }
  InsertMessage(&record);
  return absl::OkStatus();
}

std::string VideoIndex::Serialize() const {
  std::vector<const std::pair<const Key, IndexedVideo>*> sorted;
  sorted.reserve(videos_.size());
  for (const auto& video : videos_) sorted.push_back(&video);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  google::protobuf::Arena arena;
  auto* records = google::protobuf::Arena::CreateMessage<IndexContent>(&arena);
  for (const auto* video : sorted) FillRecord(video->first, video->second, records->add_videos());
  const std::string content = records->SerializeAsString();
  const uint32_t crc32 = Crc32(content);
  return absl::StrCat(
      Header(), absl::string_view(reinterpret_cast<const char*>(&crc32), sizeof(crc32)), content);
}

}  // namespace op3d::data
