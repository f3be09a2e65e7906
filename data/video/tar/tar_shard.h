// The members of a tar archive by name, so that one is read where it lies: nothing is unpacked.
//
//   OP3D_ASSIGN_OR_RETURN(std::shared_ptr<const TarShard> shard, TarShard::Open("train-000.tar"));
//   OP3D_ASSIGN_OR_RETURN(const TarMember member, shard->Find("run/a.mp4"));
//   // its bytes are [member.start, member.start + member.bytes) of the file
//
// libarchive reads the headers (ustar, pax and GNU, long names, checksums), this adds the positions
// and what reading in place needs: a member must lie in the file as it is, in one piece.
#ifndef OP3D_DATA_VIDEO_TAR_TAR_SHARD_H_
#define OP3D_DATA_VIDEO_TAR_TAR_SHARD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace op3d::data {

// The part of the tar that is the member's content, in bytes.
struct TarMember {
  int64_t start = 0;
  int64_t bytes = 0;
};

// The content of a member of the open file `file`, into `bytes`; `where` is for messages.  DataLoss:
// it has more than `most_bytes`, or the file was cut off meanwhile.
absl::Status ReadTarMember(int file, const TarMember& member, int64_t most_bytes,
                           absl::string_view where, std::string* bytes);

// Immutable, so thread-safe.
class TarShard {
 public:
  // Reads all headers, one block per member (about a millisecond per hundred members).  The result
  // is kept for the whole process and shared until the file's size or time changes.
  //
  // NotFound, PermissionDenied: the file cannot be opened.  InvalidArgument: not a tar, or a
  // compressed one.  A tar that is damaged or cut off opens with the members before that place.
  static absl::StatusOr<std::shared_ptr<const TarShard>> Open(const std::string& path);

  // `name` as the tar has it, without a leading "./" or "/".
  //
  // NotFound: no such member.  InvalidArgument: named twice, or stored sparsely.  DataLoss: cut off,
  // or possibly in the part that is damaged.  Messages start with the member's path.
  absl::StatusOr<TarMember> Find(absl::string_view name) const;

  // Whether members lie below the folder `name`; true for "".
  bool IsFolder(absl::string_view name) const;

  // What is directly in the folder `name` ("" = the top), sorted by name.
  struct Entry {
    std::string name;
    bool is_folder = false;
  };
  std::vector<Entry> List(absl::string_view name) const;

  // The names of all members, sorted.
  std::vector<std::string> Names() const;

  const std::string& path() const { return path_; }
  // Why the tar could not be read to its end; OK if it could.
  const absl::Status& damage() const { return damage_; }

 private:
  struct Member {
    // A fault says why the member cannot be read in place.
    enum class Fault { kNone, kTwice, kSparse, kCutOff };
    std::string name;
    TarMember place;
    Fault fault = Fault::kNone;
  };

  explicit TarShard(std::string path) : path_(std::move(path)) {}
  absl::Status Read(int file, int64_t file_bytes);
  void Sort();
  // The first member whose name is not less than `name`.
  std::vector<Member>::const_iterator From(absl::string_view name) const;

  const std::string path_;
  // Sorted by name.
  std::vector<Member> members_;
  absl::Status damage_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_TAR_TAR_SHARD_H_
