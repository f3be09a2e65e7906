#include "data/video/tar/tar_shard.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr int64_t kBlock = 512;
// What libarchive reads at once: a header and little more, because the content is skipped.
constexpr size_t kReadBytes = 4096;

struct FreeArchive {
  void operator()(struct archive* archive) const { archive_read_free(archive); }
};
using Reader = std::unique_ptr<struct archive, FreeArchive>;

std::string Reason(struct archive* reader) {
  const char* why = archive_error_string(reader);
  return why == nullptr ? "no reason given" : why;
}

// "a/b.mp4" for "./a//b.mp4" and "/a/b.mp4"; empty for a name that leads out of the archive, and
// for none.
std::string PlainName(absl::string_view name) {
  std::string plain;
  for (const absl::string_view part : absl::StrSplit(name, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part == "..") return "";
    absl::StrAppend(&plain, plain.empty() ? "" : "/", part);
  }
  return plain;
}

// In the "C" locale libarchive has no multibyte form of some pax names.
std::string NameOf(struct archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr) name = archive_entry_pathname_utf8(entry);
  return name == nullptr ? "" : PlainName(name);
}

std::string HardLinkOf(struct archive_entry* entry) {
  const char* name = archive_entry_hardlink(entry);
  if (name == nullptr) name = archive_entry_hardlink_utf8(entry);
  return name == nullptr ? "" : PlainName(name);
}

// What a compressed archive starts with, or nullptr.
const char* Compression(int file) {
  unsigned char start[6] = {};
  if (::pread(file, start, sizeof(start), 0) != sizeof(start)) return nullptr;
  const absl::string_view bytes(reinterpret_cast<const char*>(start), sizeof(start));
  if (absl::StartsWith(bytes, "\x1F\x8B")) return "gzip";
  if (absl::StartsWith(bytes, "BZh")) return "bzip2";
  if (absl::StartsWith(bytes,
                       "\xFD"
                       "7zXZ"))
    return "xz";
  if (absl::StartsWith(bytes, "\x28\xB5\x2F\xFD")) return "zstd";
  return nullptr;
}

int64_t Padded(int64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

}  // namespace

absl::Status ReadTarMember(int file, const TarMember& member, int64_t most_bytes,
                           absl::string_view where, std::string* bytes) {
  if (member.bytes > most_bytes) {
    return absl::DataLossError(
        absl::StrCat(where, " has ", member.bytes, " bytes; at most ", most_bytes, " are read"));
  }
  bytes->resize(static_cast<size_t>(member.bytes));
  size_t read = 0;
  while (read < bytes->size()) {
    const ssize_t count = ::pread(file, &(*bytes)[read], bytes->size() - read,
                                  member.start + static_cast<int64_t>(read));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot read", where);
    if (count == 0) {
      return absl::DataLossError(absl::StrCat(where, " is cut off; make or copy the tar again"));
    }
    read += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status TarShard::Read(int file, int64_t file_bytes) {
  if (const char* compression = Compression(file)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, " is compressed with ", compression,
                     ", so its members cannot be read in place; decompress it (videos get no "
                     "smaller by it)"));
  }
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_fd(reader.get(), file, kReadBytes) != ARCHIVE_OK) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, " cannot be read as a tar: ", Reason(reader.get())));
  }
  // By name, for hard links: they have no content of their own.
  absl::flat_hash_map<std::string, size_t> places;
  bool any = false;
  // The last member's content, whose end is only checked by where the next header is.
  Member* last = nullptr;
  for (;;) {
    struct archive_entry* entry = nullptr;
    const int next = archive_read_next_header(reader.get(), &entry);
    if (last != nullptr) {
      const int64_t end = last->place.start + Padded(last->place.bytes);
      const int64_t header = archive_read_header_position(reader.get());
      const bool ends = next == ARCHIVE_EOF || next == ARCHIVE_FATAL;
      if (last->fault == Member::Fault::kNone && header != end && !ends) {
        last->fault = Member::Fault::kSparse;
      }
      last = nullptr;
    }
    if (next == ARCHIVE_EOF) break;
    // A warning is about names that the locale lacks, or times; the member is whole.
    if (next != ARCHIVE_OK && next != ARCHIVE_WARN) {
      if (!any) {
        return absl::InvalidArgumentError(
            absl::StrCat(path_, " is not a tar: ", Reason(reader.get())));
      }
      damage_ = absl::DataLossError(
          absl::StrCat(path_, " is damaged after its member ",
                       members_.empty() ? "1" : absl::CHexEscape(members_.back().name), " (",
                       Reason(reader.get()), "); make or copy it again"));
      break;
    }
    any = true;
    Member member;
    member.name = NameOf(entry);
    if (member.name.empty()) continue;
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_hardlink_utf8(entry) != nullptr) {
      const auto target = places.find(HardLinkOf(entry));
      if (target == places.end()) continue;
      member.place = members_[target->second].place;
      member.fault = members_[target->second].fault;
      places.emplace(member.name, members_.size());
      members_.push_back(std::move(member));
      continue;
    }
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    member.place = {archive_filter_bytes(reader.get(), 0), archive_entry_size(entry)};
    if (archive_entry_sparse_count(entry) > 0) {
      member.fault = Member::Fault::kSparse;
    } else if (member.place.start < 0 || member.place.start > file_bytes ||
               member.place.bytes > file_bytes - member.place.start) {
      member.fault = Member::Fault::kCutOff;
      damage_ = absl::DataLossError(
          absl::StrCat(path_, " is cut off at ", file_bytes, " bytes, in its member ",
                       absl::CHexEscape(member.name), "; make or copy it again"));
      members_.push_back(std::move(member));
      break;
    }
    places.emplace(member.name, members_.size());
    members_.push_back(std::move(member));
    last = &members_.back();
  }
  Sort();
  return absl::OkStatus();
}

void TarShard::Sort() {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.name < b.name; });
  // One entry for members of one name: `tar` would unpack the last one, other programs read the
  // first, so nobody knows which one is meant.
  size_t kept = 0;
  for (size_t i = 0; i < members_.size(); ++i) {
    if (kept > 0 && members_[kept - 1].name == members_[i].name) {
      members_[kept - 1].fault = Member::Fault::kTwice;
    } else {
      if (kept != i) members_[kept] = std::move(members_[i]);
      ++kept;
    }
  }
  members_.resize(kept);
}

absl::StatusOr<std::shared_ptr<const TarShard>> TarShard::Open(const std::string& path) {
  struct Kept {
    absl::Mutex mutex;
    struct stat info ABSL_GUARDED_BY(mutex) = {};
    std::shared_ptr<const TarShard> shard ABSL_GUARDED_BY(mutex);

    // The kept shard, if it is of that file; null otherwise.
    std::shared_ptr<const TarShard> Of(const struct stat& file) const
        ABSL_SHARED_LOCKS_REQUIRED(mutex) {
      const bool same = info.st_dev == file.st_dev && info.st_ino == file.st_ino &&
                        info.st_size == file.st_size &&
                        info.st_mtim.tv_sec == file.st_mtim.tv_sec &&
                        info.st_mtim.tv_nsec == file.st_mtim.tv_nsec;
      return same ? shard : nullptr;
    }
  };
  static auto* mutex = new absl::Mutex;
  static auto* all = new absl::flat_hash_map<std::string, std::unique_ptr<Kept>>;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return ErrnoStatus(errno, "cannot open", path);
  const absl::Cleanup close = [file] { ::close(file); };
  struct stat info;
  if (::fstat(file, &info) != 0) return ErrnoStatus(errno, "cannot open", path);
  Kept* kept = nullptr;
  {
    // Threads that open known tars share their locks, and hold none during a system call.
    absl::ReaderMutexLock lock(mutex);
    const auto found = all->find(path);
    if (found != all->end()) kept = found->second.get();
  }
  if (kept == nullptr) {
    absl::MutexLock lock(mutex);
    std::unique_ptr<Kept>& entry = (*all)[path];
    if (entry == nullptr) entry = std::make_unique<Kept>();
    kept = entry.get();
  }
  {
    absl::ReaderMutexLock lock(&kept->mutex);
    if (std::shared_ptr<const TarShard> shard = kept->Of(info); shard != nullptr) return shard;
  }
  // Threads that want the same new tar wait for the first one; those of other tars do not.
  absl::MutexLock lock(&kept->mutex);
  if (std::shared_ptr<const TarShard> shard = kept->Of(info); shard != nullptr) return shard;
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file, so not a tar"));
  }
  std::shared_ptr<TarShard> shard(new TarShard(path));
  OP3D_RETURN_IF_ERROR(shard->Read(file, info.st_size));
  kept->info = info;
  kept->shard = std::move(shard);
  return kept->shard;
}

std::vector<TarShard::Member>::const_iterator TarShard::From(absl::string_view name) const {
  return std::lower_bound(
      members_.begin(), members_.end(), name,
      [](const Member& member, absl::string_view wanted) { return member.name < wanted; });
}

absl::StatusOr<TarMember> TarShard::Find(absl::string_view name) const {
  const auto found = From(name);
  const std::string path = JoinPath(path_, name);
  if (found == members_.end() || found->name != name) {
    if (damage_.ok())
      return absl::NotFoundError(absl::StrCat(path, ": the tar has no such member"));
    return absl::DataLossError(absl::StrCat(
        path, " is not in the readable part of the tar: ", std::string(damage_.message())));
  }
  switch (found->fault) {
    case Member::Fault::kNone:
      return found->place;
    case Member::Fault::kTwice:
      return absl::InvalidArgumentError(
          absl::StrCat(path,
                       " is in the tar twice, and nothing says which one is meant; make the "
                       "tar again with other names"));
    case Member::Fault::kSparse:
      return absl::InvalidArgumentError(absl::StrCat(
          path, " is stored sparsely, in pieces; make the tar again without --sparse"));
    case Member::Fault::kCutOff:
      break;
  }
  return absl::DataLossError(absl::StrCat(path, ": ", std::string(damage_.message())));
}

std::vector<std::string> TarShard::Names() const {
  std::vector<std::string> names;
  names.reserve(members_.size());
  for (const Member& member : members_) names.push_back(member.name);
  return names;
}

bool TarShard::IsFolder(absl::string_view name) const {
  if (name.empty()) return true;
  const std::string below = absl::StrCat(name, "/");
  const auto first = From(below);
  return first != members_.end() && absl::StartsWith(first->name, below);
}

std::vector<TarShard::Entry> TarShard::List(absl::string_view name) const {
  const std::string below = name.empty() ? "" : absl::StrCat(name, "/");
  std::vector<Entry> entries;
  for (auto member = From(below);
       member != members_.end() && absl::StartsWith(member->name, below);) {
    absl::string_view rest = absl::string_view(member->name).substr(below.size());
    const size_t slash = rest.find('/');
    rest = rest.substr(0, slash);
    if (slash == absl::string_view::npos) {
      entries.push_back({std::string(rest), false});
      ++member;
    } else {
      entries.push_back({std::string(rest), true});
      // The first name after all that are below the folder: '0' follows '/'.
      member = From(absl::StrCat(below, rest, "0"));
    }
  }
  // "a.mp4" sorts before "a/b.mp4", although "a" is less than "a.mp4".
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace op3d::data
