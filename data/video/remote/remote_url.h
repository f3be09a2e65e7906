// URLs of remote videos and lists: http, https, and s3 at an endpoint that is named in the settings.
//
//   OP3D_ASSIGN_OR_RETURN(RemoteUrl url, ParseRemoteUrl("https://data.example.org/a b.mp4", ""));
//   // url.host == "data.example.org", url.port == 443, url.target == "/a%20b.mp4"
#ifndef OP3D_DATA_VIDEO_REMOTE_REMOTE_URL_H_
#define OP3D_DATA_VIDEO_REMOTE_REMOTE_URL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace op3d::data {

// Whether `path` has the form "scheme://...", whatever the scheme: such a path is never a file's.
bool IsUrl(absl::string_view path);

// "/data/a b.mp4" for "file:///data/a%20b.mp4"; any other path or URL as it is.
std::string WithoutFileScheme(absl::string_view path);

struct RemoteUrl {
  // https.
  bool tls = false;
  // In lower case; an IPv6 address in brackets.
  std::string host;
  int port = 0;
  // What is asked for: path and query, percent-encoded.
  std::string target;

  // "https://data.example.org/a%20b.mp4", without a usual port.
  std::string Text() const;
};

// In a URL that a person wrote, spaces and other characters that a URL cannot have are encoded.  The
// key of an s3 URL is taken literally and encoded as a whole.
//
// InvalidArgument: another scheme, no host, a user name or password, control characters, a port that
// is none, an s3 URL without a bucket or a key, or no endpoint for it; says what is expected.
absl::StatusOr<RemoteUrl> ParseRemoteUrl(absl::string_view url, absl::string_view s3_endpoint);

// `place` as seen from `base`: the value of a Location header.  Errors of ParseRemoteUrl.
absl::StatusOr<RemoteUrl> ResolveRedirect(const RemoteUrl& base, absl::string_view place);

// `path` below the folder at the URL `base`; `path` itself if it is a URL.  The path is a file's, so
// it is encoded as a whole, except below s3, where keys are literal.
std::string JoinUrl(absl::string_view base, absl::string_view path);

// A URL that leads into a tar: "https://h/s.tar/a%20b.mp4" is the member "a b.mp4" of
// "https://h/s.tar".  Empty if there is no such part.
struct TarUrl {
  std::string tar;
  // Decoded.
  std::string member;
};
std::optional<TarUrl> SplitTarUrl(absl::string_view url);

// OK if one of `allowed` is the URL's host: "host" for the usual port, or "host:port".
// PermissionDenied otherwise; says how to allow it.
absl::Status CheckAllowed(const RemoteUrl& url, absl::Span<const std::string> allowed);

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_REMOTE_REMOTE_URL_H_
