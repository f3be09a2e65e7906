// Fetches a file over HTTP into a local file: with time limits, retries that go on where a
// connection broke (range requests), and only from hosts that the caller allows.
//
//   OP3D_RETURN_IF_ERROR(FetchHttp(url, options, [&](int64_t bytes) { return Reserve(bytes); }, fd));
//
// Connections, TLS and waiting are FFmpeg's (its protocols tcp and tls).  Its protocol http is not
// used: it follows redirects to any host, and it continues a file without asking whether it is still
// the same one.
#ifndef OP3D_DATA_VIDEO_REMOTE_HTTP_FETCH_H_
#define OP3D_DATA_VIDEO_REMOTE_HTTP_FETCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "data/video/remote/remote_url.h"

namespace op3d::data {

struct HttpOptions {
  // The hosts that may be asked, as in CheckAllowed.
  std::vector<std::string> allowed_hosts;
  // A try ends if less than 1 KiB a second came for this time.
  double timeout_seconds = 20;
  int tries = 4;
  // Before the second try; doubled for each further one.
  double retry_seconds = 0.5;
};

// Writes the content to the start of `file`, an empty file open for writing.  `reserve` is called
// with its size before the first byte is written, again if the size changed between two tries; its
// error ends the fetching.
//
// PermissionDenied: a host that is not allowed (it is not asked), or the server refuses (401, 403).
// NotFound: 404 or 410.  FailedPrecondition: another answer that no retry changes (another status, no
// size, a redirect in a circle or from https to http).  Unavailable: the last try failed, with what
// happened.  Cancelled: a signal came.  Messages start with the URL.
absl::Status FetchHttp(const RemoteUrl& url, const HttpOptions& options,
                       absl::FunctionRef<absl::Status(int64_t bytes)> reserve, int file);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_REMOTE_HTTP_FETCH_H_
