#include "data/video/remote/remote_files.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "data/video/remote/remote_url.h"
#include "op3d/base/bazel.h"
#include "op3d/base/file.h"
#include "op3d/base/io/user_cache.h"
#include "op3d/base/require.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr int64_t kUsualCacheMib = 10 * 1024;

absl::StatusOr<std::string> CacheFolder(const RemoteSettings& settings) {
  if (!settings.cache_folder().empty()) return UserPath(settings.cache_folder());
  const std::string cache = UserCacheFolder();
  if (!cache.empty()) return JoinPath(cache, "remote");
  return absl::NotFoundError(
      "there is no folder for the cache of remote data, because neither $XDG_CACHE_HOME nor $HOME "
      "is "
      "set; name one with dataset.remote.cache_folder");
}

// The ending of the URL's file, by which FFmpeg and the tar reader recognise it; empty if it has none
// that a file name could have.
std::string EndingOf(const RemoteUrl& url) {
  absl::string_view name = absl::string_view(url.target).substr(0, url.target.find('?'));
  name = name.substr(name.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || name.size() - dot > 8) return "";
  const absl::string_view ending = name.substr(dot);
  for (const char c : ending.substr(1)) {
    if (!absl::ascii_isalnum(c)) return "";
  }
  return absl::AsciiStrToLower(ending);
}

absl::Status Off(const std::string& url) {
  return absl::InvalidArgumentError(
      absl::StrCat(url,
                   " is a URL, and remote data is off; to read it, name its host in `remote` of "
                   "the dataset's textproto: remote { allowed_hosts: \"HOST\" }"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RemoteFiles>> RemoteFiles::Make(
    const RemoteSettings& settings) {
  if (settings.allowed_hosts().empty()) return std::shared_ptr<const RemoteFiles>();
  OP3D_RETURN_IF_ERROR(
      RequireAtLeast("dataset.remote.timeout_seconds", settings.timeout_seconds(), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("dataset.remote.retry_seconds", settings.retry_seconds(), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("dataset.remote.tries", settings.tries(), 0));
  OP3D_RETURN_IF_ERROR(RequireAtLeast("dataset.remote.cache_mib", settings.cache_mib(), 0));
  HttpOptions http;
  http.allowed_hosts.assign(settings.allowed_hosts().begin(), settings.allowed_hosts().end());
  for (const std::string& host : http.allowed_hosts) {
    if (!host.empty() && !IsUrl(host) && !absl::StrContains(host, '/') &&
        !absl::StrContains(host, '*')) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("dataset.remote.allowed_hosts has '", host,
                     "'; expected a host alone, data.example.org or localhost:8000"));
  }
  if (settings.timeout_seconds() > 0) http.timeout_seconds = settings.timeout_seconds();
  if (settings.retry_seconds() > 0) http.retry_seconds = settings.retry_seconds();
  if (settings.tries() > 0) http.tries = settings.tries();
  OP3D_ASSIGN_OR_RETURN(std::string folder, CacheFolder(settings));
  const int64_t mib = settings.cache_mib() > 0 ? settings.cache_mib() : kUsualCacheMib;
  OP3D_ASSIGN_OR_RETURN(
      FileCache cache,
      FileCache::Make(std::move(folder), std::min<int64_t>(mib, int64_t{1} << 40) << 20));
  return std::shared_ptr<const RemoteFiles>(
      new RemoteFiles(std::move(http), settings.s3_endpoint(), std::move(cache)));
}

absl::Status RemoteFiles::Check(const std::string& url) const {
  const std::optional<TarUrl> place = SplitTarUrl(url);
  OP3D_ASSIGN_OR_RETURN(const RemoteUrl parsed,
                        ParseRemoteUrl(place.has_value() ? place->tar : url, s3_endpoint_));
  return CheckAllowed(parsed, http_.allowed_hosts);
}

absl::Status RemoteFiles::FetchFrom(const RemoteUrl& url, FileCache::Reserve reserve,
                                    int file) const {
  const std::string host = absl::StrCat(url.host, ":", url.port);
  {
    absl::MutexLock lock(&mutex_);
    if (absl::Now() < hosts_[host].down_until) {
      return absl::UnavailableError(absl::StrCat(url.Text(), ": not asked for, because the last ",
                                                 kMostFailures, " files of ", host,
                                                 " could not be had; try again later"));
    }
  }
  const absl::Status status = FetchHttp(url, http_, reserve, file);
  absl::MutexLock lock(&mutex_);
  Host& known = hosts_[host];
  // Any answer at all shows that the host is there.
  known.failures = absl::IsUnavailable(status) ? known.failures + 1 : 0;
  if (known.failures >= kMostFailures) {
    known.failures = 0;
    known.down_until = absl::Now() + absl::Seconds(kDownSeconds);
  }
  return status;
}

absl::StatusOr<CachedFile> RemoteFiles::Fetch(const std::string& url) const {
  const std::optional<TarUrl> place = SplitTarUrl(url);
  OP3D_ASSIGN_OR_RETURN(const RemoteUrl parsed,
                        ParseRemoteUrl(place.has_value() ? place->tar : url, s3_endpoint_));
  // Before the cache is looked at, so that the settings decide and not what is there by chance.
  OP3D_RETURN_IF_ERROR(CheckAllowed(parsed, http_.allowed_hosts));
  // Longer than a try that stalls, with the waiting before it.
  const double patience =
      2 * http_.timeout_seconds + http_.retry_seconds * (1 << std::min(http_.tries, 10));
  OP3D_ASSIGN_OR_RETURN(CachedFile file, cache_.Get(
                                             parsed.Text(), EndingOf(parsed),
                                             [&](int copy, FileCache::Reserve reserve) {
                                               return FetchFrom(parsed, reserve, copy);
                                             },
                                             patience));
  if (place.has_value()) file.path = JoinPath(file.path, place->member);
  return file;
}

absl::StatusOr<CachedFile> FetchRemote(const RemoteFiles* remote, const std::string& url) {
  if (remote == nullptr) return Off(url);
  return remote->Fetch(url);
}

absl::Status CheckRemote(const RemoteFiles* remote, const std::string& url) {
  return remote == nullptr ? Off(url) : remote->Check(url);
}

}  // namespace op3d::data
