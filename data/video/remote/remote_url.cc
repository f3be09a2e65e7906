#include "data/video/remote/remote_url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "op3d/base/status_macros.h"

namespace op3d::data {
namespace {

constexpr absl::string_view kS3 = "s3://";
// Longer ones are damage; servers refuse them too.
constexpr size_t kLongestUrl = 8000;

int UsualPort(bool tls) { return tls ? 443 : 80; }

// RFC 3986, 2.3.
bool IsUnreserved(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool IsHostCharacter(char c) { return IsUnreserved(c) || c == ':' || c == '[' || c == ']'; }

// Encodes all characters but unreserved ones and those of `kept`.
std::string Encode(absl::string_view text, absl::string_view kept) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c) || absl::StrContains(kept, c)) {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string Decode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const absl::string_view digits = text.substr(std::min(i + 1, text.size()), 2);
    if (text[i] == '%' && digits.size() == 2 && absl::ascii_isxdigit(digits[0]) &&
        absl::ascii_isxdigit(digits[1]) && absl::SimpleHexAtoi(digits, &value)) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

absl::Status Bad(absl::string_view url, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("the URL ", absl::CHexEscape(url.substr(0, 200)), " ", why));
}

absl::StatusOr<RemoteUrl> ParseHttp(absl::string_view url) {
  RemoteUrl parsed;
  absl::string_view rest = url;
  const size_t colon = rest.find("://");
  const std::string scheme = absl::AsciiStrToLower(rest.substr(0, colon));
  if (colon == absl::string_view::npos || (scheme != "http" && scheme != "https")) {
    return Bad(url, "is not one of http, https or s3");
  }
  parsed.tls = scheme == "https";
  rest.remove_prefix(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  absl::string_view host = rest.substr(0, end);
  rest.remove_prefix(end);
  if (absl::StrContains(host, '@')) {
    return Bad(url, "has a user name or password; op3d sends none: use a public or presigned URL");
  }
  parsed.port = UsualPort(parsed.tls);
  const size_t port = host.rfind(':');
  if (port != absl::string_view::npos && host.find(']', port) == absl::string_view::npos) {
    if (!absl::SimpleAtoi(host.substr(port + 1), &parsed.port) || parsed.port < 1 ||
        parsed.port > 65535) {
      return Bad(url, "has a port that is not a number from 1 to 65535");
    }
    host = host.substr(0, port);
  }
  if (host.empty() || !std::all_of(host.begin(), host.end(), IsHostCharacter) ||
      (absl::StrContains(host, ':') && (host.front() != '[' || host.back() != ']'))) {
    return Bad(url, "has no host");
  }
  parsed.host = absl::AsciiStrToLower(host);
  // What is encoded already stays; "#" would be a part of a page, which data do not have.
  parsed.target = Encode(rest, "%/?:@!$&'()*+,;=");
  if (!absl::StartsWith(parsed.target, "/")) parsed.target.insert(0, "/");
  return parsed;
}

}  // namespace

bool IsUrl(absl::string_view path) {
  const size_t colon = path.find("://");
  if (colon == absl::string_view::npos || colon == 0 || !absl::ascii_isalpha(path[0])) return false;
  return std::all_of(path.begin(), path.begin() + colon, [](char c) {
    return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
  });
}

std::string WithoutFileScheme(absl::string_view path) {
  absl::string_view rest = path;
  const bool local =
      absl::ConsumePrefix(&rest, "file://localhost/") || absl::ConsumePrefix(&rest, "file:///");
  return local ? absl::StrCat("/", Decode(rest)) : std::string(path);
}

std::string RemoteUrl::Text() const {
  return absl::StrCat(tls ? "https://" : "http://", host,
                      port == UsualPort(tls) ? "" : absl::StrCat(":", port), target);
}

absl::StatusOr<RemoteUrl> ParseRemoteUrl(absl::string_view url, absl::string_view s3_endpoint) {
  if (url.size() > kLongestUrl) return Bad(url, absl::StrCat("... has ", url.size(), " bytes"));
  if (std::any_of(url.begin(), url.end(), absl::ascii_iscntrl)) {
    return Bad(url, "has control characters");
  }
  if (!absl::StartsWithIgnoreCase(url, kS3)) return ParseHttp(url);
  const absl::string_view place = url.substr(kS3.size());
  const size_t slash = place.find('/');
  if (slash == 0 || slash == absl::string_view::npos || slash + 1 == place.size()) {
    return Bad(url, "is not of the form s3://bucket/key");
  }
  if (s3_endpoint.empty()) {
    return Bad(url,
               "needs an endpoint: set dataset.remote.s3_endpoint (s3_endpoint: "
               "\"https://s3.REGION.amazonaws.com\" in `remote` of the dataset's textproto)");
  }
  const absl::string_view endpoint = absl::StripSuffix(s3_endpoint, "/");
  if (absl::StrContains(endpoint, '?')) return Bad(endpoint, "is no endpoint: it has a query");
  return ParseHttp(absl::StrCat(endpoint, "/", Encode(place, "/")));
}

absl::StatusOr<RemoteUrl> ResolveRedirect(const RemoteUrl& base, absl::string_view place) {
  if (IsUrl(place)) return ParseRemoteUrl(place, "");
  if (absl::StartsWith(place, "//")) {
    return ParseRemoteUrl(absl::StrCat(base.tls ? "https:" : "http:", place), "");
  }
  RemoteUrl root = base;
  root.target = "";
  if (absl::StartsWith(place, "/")) return ParseRemoteUrl(root.Text() + std::string(place), "");
  absl::string_view folder = absl::string_view(base.target).substr(0, base.target.find('?'));
  folder = folder.substr(0, folder.rfind('/') + 1);
  return ParseRemoteUrl(absl::StrCat(root.Text(), folder, place), "");
}

std::string JoinUrl(absl::string_view base, absl::string_view path) {
  if (IsUrl(path)) return std::string(path);
  base = absl::StripSuffix(base, "/");
  path = absl::StripPrefix(path, "./");
  const bool literal = absl::StartsWithIgnoreCase(base, kS3);
  return absl::StrCat(base, "/", literal ? std::string(path) : Encode(path, "/"));
}

std::optional<TarUrl> SplitTarUrl(absl::string_view url) {
  const size_t place = absl::AsciiStrToLower(url.substr(0, url.find('?'))).find(".tar/");
  if (place == std::string::npos) return std::nullopt;
  const absl::string_view member = url.substr(place + 5);
  const bool literal = absl::StartsWithIgnoreCase(url, kS3);
  return TarUrl{std::string(url.substr(0, place + 4)),
                literal ? std::string(member) : Decode(member)};
}

absl::Status CheckAllowed(const RemoteUrl& url, absl::Span<const std::string> allowed) {
  const std::string with_port = absl::StrCat(url.host, ":", url.port);
  for (const std::string& entry : allowed) {
    const std::string host = absl::AsciiStrToLower(entry);
    if (host == with_port || (host == url.host && url.port == UsualPort(url.tls))) {
      return absl::OkStatus();
    }
  }
  const std::string shown = url.port == UsualPort(url.tls) ? url.host : with_port;
  return absl::PermissionDeniedError(
      absl::StrCat(url.Text(), ": the host ", shown, " is not allowed; ",
                   allowed.empty() ? "remote data is off"
                                   : absl::StrCat("allowed: ", absl::StrJoin(allowed, ", ")),
                   "; allow it with allowed_hosts: \"", shown,
                   "\" in `remote` of the dataset's textproto (dataset.remote.allowed_hosts)"));
}

}  // namespace op3d::data
