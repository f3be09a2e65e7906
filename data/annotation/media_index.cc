#include "data/annotation/media_index.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "data/annotation/text/list_text.h"
#include "data/video/tar/media_path.h"
#include "data/video/tar/tar_shard.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDeepest = 3;
// A folder whose first entries are this number of pictures holds the frames of one video.
constexpr int kFramesOfAVideo = 32;

using Entry = TarShard::Entry;

bool IsPicture(absl::string_view name) {
  for (const absl::string_view ending : {".jpg", ".jpeg", ".png"}) {
    if (absl::EndsWithIgnoreCase(name, ending)) return true;
  }
  return false;
}

// Class folders write "air drumming" also as "air_drumming" and "Air_Drumming".
std::string PlainLabel(absl::string_view label) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(label, {{"_", " "}}));
}

// The entries in alphabetical order.  The listing itself says which are folders, so no file is
// examined.  A tar is a folder.  Empty for the frames of a video that no list names.
absl::StatusOr<std::vector<Entry>> ListEntries(const std::string& path, bool may_be_frames) {
  if (SplitTarPath(path).has_value()) return ListMediaFolder(path);
  std::error_code error;
  std::vector<Entry> entries;
  int pictures = 0;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;  // a dangling link is not a folder
    std::string name = it->path().filename().string();
    const bool is_tar = IsTarName(name) && it->is_regular_file(ignored);
    entries.push_back({std::move(name), is_tar || it->is_directory(ignored)});
    if (IsPicture(entries.back().name) && !entries.back().is_folder) ++pictures;
    if (may_be_frames && pictures == kFramesOfAVideo && entries.size() == kFramesOfAVideo) {
      return std::vector<Entry>();
    }
  }
  if (error) return ErrnoStatus(error.value(), "cannot list folder", path);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

// The number of last names that two paths share.
size_t CommonEnd(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  size_t count = 0;
  while (count < std::min(a.size(), b.size()) &&
         a[a.size() - 1 - count] == b[b.size() - 1 - count]) {
    ++count;
  }
  return count;
}

}  // namespace

absl::StatusOr<MediaIndex> MediaIndex::Scan(const std::string& folder,
                                            const absl::flat_hash_set<absl::string_view>& names) {
  MediaIndex index;
  OP3D_RETURN_IF_ERROR(index.AddTree({folder, {}, false}, names));
  return index;
}

void MediaIndex::AddReplacements(const std::string& folder,
                                 const absl::flat_hash_set<absl::string_view>& names) {
  const absl::Status status = AddTree({folder, {}, true}, names);
  if (!status.ok()) unreadable_.push_back({std::string(FileName(folder)), status});
}

absl::Status MediaIndex::AddTree(Folder folder,
                                 const absl::flat_hash_set<absl::string_view>& names) {
  size_t next = all_folders_.size();
  all_folders_.push_back(std::move(folder));
  std::vector<std::string> inner;
  OP3D_RETURN_IF_ERROR(AddFolder(next, names, &inner));
  while (true) {
    // A copy, because the vector grows below.
    const Folder outer = all_folders_[next];
    for (const std::string& name : inner) {
      Folder found = {JoinPath(outer.path, name), outer.plain_names, outer.replacement};
      found.plain_names.push_back(PlainLabel(name));
      found.replacement = found.replacement || absl::StartsWithIgnoreCase(name, "replacement");
      all_folders_.push_back(std::move(found));
    }
    if (++next == all_folders_.size()) return absl::OkStatus();
    inner.clear();
    absl::Status status = AddFolder(next, names, &inner);
    // A tar that is damaged in the middle still has the videos before that place.
    if (status.ok() && IsTarName(all_folders_[next].path)) {
      status = TarDamage(all_folders_[next].path);
    }
    if (status.ok()) {
      ++folders_;
    } else {
      unreadable_.push_back({std::string(FileName(all_folders_[next].path)), status});
    }
    if (all_folders_[next].plain_names.size() >= kDeepest) inner.clear();
  }
}

absl::Status MediaIndex::AddFolder(size_t folder,
                                   const absl::flat_hash_set<absl::string_view>& names,
                                   std::vector<std::string>* inner) {
  OP3D_ASSIGN_OR_RETURN(
      const std::vector<Entry> entries,
      ListEntries(all_folders_[folder].path, !all_folders_[folder].plain_names.empty()));
  for (const Entry& entry : entries) {
    const absl::string_view name = WithoutVideoEndings(entry.name);
    // A frame folder is a video without an ending: if its name is in `names` it need not be listed;
    // folders with other names may be class folders.
    if (name.size() < entry.name.size() || names.contains(name)) {
      ++files_;
      by_name_[name].push_back({folder, entry.name.substr(name.size())});
    } else if (entry.is_folder && entry.name[0] != '.') {
      inner->push_back(entry.name);
    }
  }
  return absl::OkStatus();
}

std::string MediaIndex::PathOf(absl::string_view name, const File& file) const {
  return JoinPath(all_folders_[file.folder].path, absl::StrCat(name, file.ending));
}

std::vector<std::string> MediaIndex::Find(absl::string_view name, absl::string_view label) const {
  std::vector<std::string> paths;
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return paths;
  if (found->second.size() == 1) return {PathOf(name, found->second[0])};
  const std::string plain = PlainLabel(label);
  const auto rank = [&](const File& file) {
    const Folder& folder = all_folders_[file.folder];
    if (folder.replacement) return 0;
    const std::vector<std::string>& names = folder.plain_names;
    if (!names.empty() && names.back() == plain) return 1;
    return std::find(names.begin(), names.end(), plain) != names.end() ? 2 : 3;
  };
  Files files = found->second;
  std::stable_sort(files.begin(), files.end(),
                   [&](const File& a, const File& b) { return rank(a) < rank(b); });
  for (const File& file : files) paths.push_back(PathOf(name, file));
  return paths;
}

std::vector<std::string> MediaIndex::FindIn(absl::string_view folder, absl::string_view name,
                                            absl::string_view label) const {
  std::vector<std::string> paths;
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return paths;
  std::vector<std::string> wanted;
  for (const absl::string_view part : absl::StrSplit(folder, '/', absl::SkipEmpty())) {
    if (part != ".") wanted.push_back(PlainLabel(part));
  }
  const std::string plain = PlainLabel(label);
  const auto rank = [&](const File& file) -> size_t {
    const std::vector<std::string>& names = all_folders_[file.folder].plain_names;
    const size_t common = CommonEnd(names, wanted);
    if (common > 0) return 2 + common;
    if (!names.empty() && names.back() == plain) return 2;
    return names.empty() ? 1 : 0;
  };
  size_t best = 1;
  for (const File& file : found->second) best = std::max(best, rank(file));
  for (const File& file : found->second) {
    if (rank(file) == best) paths.push_back(PathOf(name, file));
  }
  return paths;
}

}  // namespace op3d::data
