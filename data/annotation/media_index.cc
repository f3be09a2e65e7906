#include "data/annotation/media_index.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

constexpr absl::string_view kEndings[] = {"mp4", "mkv", "webm", "avi", "mov", "m4v",
                                          "3gp", "flv", "ts",   "mpg", "lmdb"};

// Where the file ending starts; 0 when `name` does not end as a video does.
size_t VideoEnding(absl::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || dot == 0) return 0;
  const std::string ending = absl::AsciiStrToLower(name.substr(dot + 1));
  for (const absl::string_view known : kEndings) {
    if (ending == known) return dot;
  }
  return 0;
}

// Class folders write "air drumming" also as "air_drumming" and "Air_Drumming".
std::string PlainLabel(absl::string_view label) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(label, {{"_", " "}}));
}

}  // namespace

absl::Span<const absl::string_view> VideoEndings() { return kEndings; }

absl::StatusOr<MediaIndex> MediaIndex::Scan(const std::string& folder,
                                            const absl::flat_hash_set<std::string>& names) {
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> entries, ListFolder(folder));
  MediaIndex index;
  for (const std::string& name : index.Add(folder, "", entries, names)) {
    const std::string path = JoinPath(folder, name);
    if (!FolderExists(path)) continue;
    // A folder that may not be read is as good as none: its videos count as missing.
    const absl::StatusOr<std::vector<std::string>> inner = ListFolder(path);
    if (!inner.ok()) continue;
    ++index.folders_;
    index.Add(path, name, *inner, names);
  }
  return index;
}

std::vector<std::string> MediaIndex::Add(const std::string& folder, const std::string& label_folder,
                                         const std::vector<std::string>& entries,
                                         const absl::flat_hash_set<std::string>& names) {
  std::vector<std::string> others;
  for (const std::string& entry : entries) {
    const size_t ending = VideoEnding(entry);
    const std::string name = ending > 0 ? entry.substr(0, ending) : entry;
    // A video without an ending is a folder: names of frame folders need not be asked for one by
    // one, names that are not listed may be class folders.
    if (ending > 0 || names.contains(name)) {
      ++files_;
      by_name_[name].push_back({label_folder, JoinPath(folder, entry)});
    } else {
      others.push_back(entry);
    }
  }
  return others;
}

const std::string* MediaIndex::Find(absl::string_view name, absl::string_view label) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  const std::vector<File>& files = found->second;
  if (files.size() > 1) {
    const std::string plain = PlainLabel(label);
    for (const File& file : files) {
      if (PlainLabel(file.label_folder) == plain) return &file.path;
    }
  }
  return &files.front().path;
}

const std::string* MediaIndex::FindIn(absl::string_view folder, absl::string_view name,
                                      absl::string_view label) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  for (const absl::string_view wanted : {folder, label, absl::string_view()}) {
    const std::string plain = PlainLabel(wanted);
    for (const File& file : found->second) {
      if (PlainLabel(file.label_folder) == plain) return &file.path;
    }
  }
  return nullptr;
}

}  // namespace op3d
