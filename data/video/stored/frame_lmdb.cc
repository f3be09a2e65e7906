#include "data/video/stored/frame_lmdb.h"

#include <lmdb.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/video/stored/frame_names.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

struct LmdbDeleter {
  void operator()(MDB_env* environment) const { mdb_env_close(environment); }
  void operator()(MDB_txn* transaction) const { mdb_txn_abort(transaction); }
  void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};
using EnvironmentPtr = std::unique_ptr<MDB_env, LmdbDeleter>;
using TransactionPtr = std::unique_ptr<MDB_txn, LmdbDeleter>;
using CursorPtr = std::unique_ptr<MDB_cursor, LmdbDeleter>;

absl::Status LmdbStatus(int code, absl::string_view what) {
  if (code == 0) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", mdb_strerror(code));
  switch (code) {
    case ENOENT:
    case MDB_NOTFOUND:
      return absl::NotFoundError(message);
    case EACCES:
      return absl::PermissionDeniedError(message);
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case MDB_MAP_FULL:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::DataLossError(message);
  }
}

std::string DataFile(const std::string& path) {
  return FolderExists(path) ? JoinPath(path, "data.mdb") : path;
}

class FrameLmdb : public StoredFrames {
 public:
  explicit FrameLmdb(std::string path) : path_(std::move(path)) {}

  absl::Status Open(FrameContent content, const VideoLimits& limits) {
    MDB_env* environment = nullptr;
    OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_create(&environment), path_));
    environment_.reset(environment);
    unsigned flags = MDB_RDONLY | MDB_NOLOCK;
    if (!FolderExists(path_)) flags |= MDB_NOSUBDIR;
    OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_open(environment, path_.c_str(), flags, 0), path_));
    OP3D_RETURN_IF_ERROR(CheckSize());
    MDB_txn* transaction = nullptr;
    OP3D_RETURN_IF_ERROR(
        LmdbStatus(mdb_txn_begin(environment, nullptr, MDB_RDONLY, &transaction), path_));
    transaction_.reset(transaction);
    OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_dbi_open(transaction, nullptr, 0, &database_), path_));
    OP3D_RETURN_IF_ERROR(ListKeys());
    return names_.Finish(content, path_, limits.max_frames);
  }

  int64_t frames() const override { return names_.frames(); }

  std::string Where(int64_t frame, int picture) const override {
    return absl::StrCat(path_, ": ", names_.Name(frame, picture));
  }

  absl::StatusOr<absl::string_view> Encoded(int64_t frame, int picture) override {
    const std::string& name = names_.Name(frame, picture);
    MDB_val key = {name.size(), const_cast<char*>(name.data())};
    MDB_val value = {};
    OP3D_RETURN_IF_ERROR(
        LmdbStatus(mdb_get(transaction_.get(), database_, &key, &value), Where(frame, picture)));
    return absl::string_view(static_cast<const char*>(value.mv_data), value.mv_size);
  }

 private:
  // The map of a truncated file is longer than the file, and accessing missing pages kills the
  // process.
  absl::Status CheckSize() {
    MDB_envinfo info;
    MDB_stat stat;
    OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_info(environment_.get(), &info), path_));
    OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_stat(environment_.get(), &stat), path_));
    struct stat file;
    if (::stat(DataFile(path_).c_str(), &file) != 0) {
      return ErrnoStatus(errno, "cannot open", DataFile(path_));
    }
    const uint64_t used = (uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
    if (static_cast<uint64_t>(file.st_size) < used) {
      return absl::DataLossError(absl::StrCat(path_, " is cut off: ", file.st_size, " of ", used,
                                              " bytes; copy it again"));
    }
    return absl::OkStatus();
  }

  absl::Status ListKeys() {
    MDB_cursor* opened = nullptr;
    OP3D_RETURN_IF_ERROR(
        LmdbStatus(mdb_cursor_open(transaction_.get(), database_, &opened), path_));
    const CursorPtr cursor(opened);
    MDB_val key = {};
    for (;;) {
      const int code = mdb_cursor_get(opened, &key, nullptr, MDB_NEXT);
      if (code == MDB_NOTFOUND) return absl::OkStatus();
      OP3D_RETURN_IF_ERROR(LmdbStatus(code, path_));
      names_.Add(absl::string_view(static_cast<const char*>(key.mv_data), key.mv_size));
    }
  }

  const std::string path_;
  EnvironmentPtr environment_;
  TransactionPtr transaction_;
  MDB_dbi database_ = 0;
  FrameNames names_;
};

absl::Status PutAll(MDB_env* environment, absl::Span<const LmdbPicture> pictures,
                    const std::string& path) {
  MDB_txn* begun = nullptr;
  OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_txn_begin(environment, nullptr, 0, &begun), path));
  TransactionPtr transaction(begun);
  MDB_dbi database = 0;
  OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_dbi_open(begun, nullptr, 0, &database), path));
  for (const LmdbPicture& picture : pictures) {
    MDB_val key = {picture.key.size(), const_cast<char*>(picture.key.data())};
    MDB_val value = {picture.jpeg.size(), const_cast<char*>(picture.jpeg.data())};
    OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_put(begun, database, &key, &value, MDB_NOOVERWRITE),
                                    absl::StrCat("cannot write ", path, ": ", picture.key)));
  }
  return LmdbStatus(mdb_txn_commit(transaction.release()), absl::StrCat("cannot write ", path));
}

}  // namespace

bool IsLmdb(const std::string& path) {
  if (FolderExists(path)) return FileExists(JoinPath(path, "data.mdb"));
  if (!FileExists(path)) return false;
  // The first page: 16 bytes of page header, then the meta data, which start with this number.
  constexpr char kMagic[] = {'\xDE', '\xC0', '\xEF', '\xBE'};
  char start[20] = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(start, sizeof(start)) && std::memcmp(start + 16, kMagic, sizeof(kMagic)) == 0;
}

absl::StatusOr<std::unique_ptr<StoredFrames>> OpenFrameLmdb(const std::string& path,
                                                            FrameContent content,
                                                            const VideoLimits& limits) {
  auto frames = absl::make_unique<FrameLmdb>(path);
  OP3D_RETURN_IF_ERROR(frames->Open(content, limits));
  return std::unique_ptr<StoredFrames>(std::move(frames));
}

absl::Status WriteFrameLmdb(const std::string& path, absl::Span<const LmdbPicture> pictures) {
  // Whole pages for every value, half-full pages of keys, and a reserve.
  constexpr size_t kPage = 4096;
  size_t room = 64 * kPage;
  for (const LmdbPicture& picture : pictures) {
    room += (picture.jpeg.size() / kPage + 2) * kPage + 4 * (picture.key.size() + 32);
  }
  OP3D_RETURN_IF_ERROR(MakeFolders(path));
  MDB_env* environment = nullptr;
  OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_create(&environment), path));
  const EnvironmentPtr owner(environment);
  OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_set_mapsize(environment, room / kPage * kPage), path));
  OP3D_RETURN_IF_ERROR(LmdbStatus(mdb_env_open(environment, path.c_str(), MDB_NOLOCK, 0644), path));
  return PutAll(environment, pictures, path);
}

}  // namespace op3d::data
