#include "data/video/tar/media_path.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

// The tar of `place`; null if it cannot be read.
std::shared_ptr<const TarShard> ReadableTar(const TarPath& place) {
  absl::StatusOr<std::shared_ptr<const TarShard>> shard = TarShard::Open(place.tar);
  return shard.ok() ? *std::move(shard) : nullptr;
}

}  // namespace

std::optional<TarPath> SplitTarPath(const std::string& path) {
  // Most paths have no such part, and then the file system is not asked.
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const absl::string_view outer = absl::string_view(path).substr(0, end);
    if (IsTarName(outer) && FileExists(std::string(outer))) {
      TarPath place;
      place.tar = std::string(outer);
      if (end == std::string::npos) return place;
      for (const absl::string_view part :
           absl::StrSplit(absl::string_view(path).substr(end), '/', absl::SkipEmpty())) {
        if (part != ".") absl::StrAppend(&place.member, place.member.empty() ? "" : "/", part);
      }
      return place;
    }
    if (end == std::string::npos) return std::nullopt;
  }
}

bool IsTarName(absl::string_view name) { return absl::EndsWithIgnoreCase(name, ".tar"); }

bool MediaFileExists(const std::string& path) {
  const std::optional<TarPath> place = SplitTarPath(path);
  if (!place.has_value()) return FileExists(path);
  const std::shared_ptr<const TarShard> shard = ReadableTar(*place);
  if (shard == nullptr || place->member.empty()) return false;
  const absl::Status status = shard->Find(place->member).status();
  // A member that cannot be read is there, and broken.
  return !absl::IsNotFound(status);
}

bool MediaFolderExists(const std::string& path) {
  const std::optional<TarPath> place = SplitTarPath(path);
  if (!place.has_value()) return FolderExists(path);
  const std::shared_ptr<const TarShard> shard = ReadableTar(*place);
  return shard != nullptr && shard->IsFolder(place->member);
}

absl::StatusOr<std::vector<TarShard::Entry>> ListMediaFolder(const std::string& path) {
  if (const std::optional<TarPath> place = SplitTarPath(path)) {
    OP3D_ASSIGN_OR_RETURN(const auto shard, TarShard::Open(place->tar));
    return shard->List(place->member);
  }
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<TarShard::Entry> entries;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    // The listing itself says which are folders, so no other file is examined.
    std::error_code ignored;  // a dangling link is not a folder
    std::string name = it->path().filename().string();
    const bool folder =
        it->is_directory(ignored) || (IsTarName(name) && it->is_regular_file(ignored));
    entries.push_back({std::move(name), folder});
  }
  if (error) return ErrnoStatus(error.value(), "cannot list folder", path);
  std::sort(entries.begin(), entries.end(),
            [](const TarShard::Entry& a, const TarShard::Entry& b) { return a.name < b.name; });
  return entries;
}

int64_t MediaFileBytes(const std::string& path) {
  const std::optional<TarPath> place = SplitTarPath(path);
  if (!place.has_value()) {
    std::error_code error;
    const bool file = std::filesystem::is_regular_file(path, error);
    const uintmax_t bytes = file ? std::filesystem::file_size(path, error) : 0;
    return error ? 0 : static_cast<int64_t>(bytes);
  }
  const std::shared_ptr<const TarShard> shard = ReadableTar(*place);
  const absl::StatusOr<TarMember> member =
      shard == nullptr ? absl::NotFoundError("") : shard->Find(place->member);
  return member.ok() ? member->bytes : 0;
}

absl::Status CheckTarPath(const std::string& path) {
  const std::optional<TarPath> place = SplitTarPath(path);
  if (!place.has_value()) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const auto shard, TarShard::Open(place->tar));
  return shard->IsFolder(place->member) ? absl::OkStatus() : shard->Find(place->member).status();
}

absl::Status TarDamage(const std::string& path) {
  if (!FileExists(path)) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const auto shard, TarShard::Open(path));
  return shard->damage();
}

}  // namespace op3d::data
