// Remote files as local ones: fetched once, whole, into a cache, from hosts that the settings allow.
//
//   OP3D_ASSIGN_OR_RETURN(std::shared_ptr<const RemoteFiles> remote, RemoteFiles::Make(settings));
//   OP3D_ASSIGN_OR_RETURN(CachedFile file, remote->Fetch("https://data.example.org/a.mp4"));
//
// Because a whole local file is read, frames, times and warnings are those of a local copy, and a
// broken connection can never look like a broken or shorter video.
#ifndef OP3D_DATA_VIDEO_REMOTE_REMOTE_FILES_H_
#define OP3D_DATA_VIDEO_REMOTE_REMOTE_FILES_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "data/datasets/dataset.pb.h"
#include "data/video/remote/file_cache.h"
#include "data/video/remote/http_fetch.h"
#include "data/video/remote/remote_url.h"

namespace op3d::data {

// Thread-safe.
//
// If kMostFailures files in a row cannot be had from a host, it counts as down: for kDownSeconds
// each further file fails at once, so that a list of many files does not wait for every one.
class RemoteFiles {
 public:
  static constexpr int kMostFailures = 20;
  static constexpr double kDownSeconds = 60;

  // Null if `settings` allow no host: remote data are off.  InvalidArgument: a number outside its
  // range; NotFound: no folder for the cache.  Makes the cache's folder.
  static absl::StatusOr<std::shared_ptr<const RemoteFiles>> Make(const RemoteSettings& settings);

  // The local file with the content of `url`; of a URL that leads into a tar, the path of the member
  // in the local tar.  Errors of ParseRemoteUrl, FetchHttp and FileCache::Get.
  absl::StatusOr<CachedFile> Fetch(const std::string& url) const;

  // The errors of Fetch that need no request: a URL that is none, or a host that is not allowed.
  absl::Status Check(const std::string& url) const;

 private:
  RemoteFiles(HttpOptions http, std::string s3_endpoint, FileCache cache)
      : http_(std::move(http)), s3_endpoint_(std::move(s3_endpoint)), cache_(std::move(cache)) {}

  // FetchHttp, unless the host counts as down.
  absl::Status FetchFrom(const RemoteUrl& url, FileCache::Reserve reserve, int file) const;

  // What is known of a host.
  struct Host {
    int failures = 0;
    absl::Time down_until = absl::InfinitePast();
  };

  const HttpOptions http_;
  const std::string s3_endpoint_;
  const FileCache cache_;
  mutable absl::Mutex mutex_;
  mutable absl::flat_hash_map<std::string, Host> hosts_ ABSL_GUARDED_BY(mutex_);
};

// RemoteFiles::Fetch; InvalidArgument if `remote` is null, which says how to switch it on.
absl::StatusOr<CachedFile> FetchRemote(const RemoteFiles* remote, const std::string& url);
// RemoteFiles::Check, in the same way.
absl::Status CheckRemote(const RemoteFiles* remote, const std::string& url);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_REMOTE_REMOTE_FILES_H_
