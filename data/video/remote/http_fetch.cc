#include "data/video/remote/http_fetch.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/video/ffmpeg/ffmpeg.h"
#include "op3d/base/file.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"

namespace op3d::data {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSlowestBytesPerSecond = 1024;
constexpr size_t kLongestHead = 64 << 10;
constexpr int kBufferBytes = 64 << 10;
constexpr int kMostRedirects = 5;

// Ends waiting for a server that sends too little, and when a signal comes.
class Watch {
 public:
  explicit Watch(double timeout_seconds) : timeout_(timeout_seconds) {}

  void Add(int64_t bytes) { bytes_ += bytes; }

  bool Expired() {
    if (stalled_) return true;
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (seconds < timeout_) return false;
    stalled_ = static_cast<double>(bytes_) < kSlowestBytesPerSecond * timeout_;
    start_ = Clock::now();
    bytes_ = 0;
    return stalled_;
  }

  bool stalled() const { return stalled_; }

  // For AVIOInterruptCB: FFmpeg asks ten times a second while it waits.
  static int Interrupt(void* self) {
    return !CheckInterrupt().ok() || static_cast<Watch*>(self)->Expired() ? 1 : 0;
  }

 private:
  const double timeout_;
  Clock::time_point start_ = Clock::now();
  int64_t bytes_ = 0;
  bool stalled_ = false;
};

struct CloseConnection {
  void operator()(AVIOContext* connection) const { avio_close(connection); }
};
using Connection = std::unique_ptr<AVIOContext, CloseConnection>;

// The status line and the headers of an answer.
struct Head {
  int status = 0;
  // By names in lower case; of repeated ones the first.
  std::map<std::string, std::string> headers;

  std::string Get(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

absl::StatusOr<Head> ParseHead(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const std::vector<absl::string_view> words =
      absl::StrSplit(absl::StripAsciiWhitespace(lines[0]), absl::MaxSplits(' ', 2));
  Head head;
  if (!absl::StartsWith(words[0], "HTTP/1.") || words.size() < 2 ||
      !absl::SimpleAtoi(words[1], &head.status) || head.status < 100 || head.status > 599) {
    return absl::FailedPreconditionError("the server does not answer in HTTP/1");
  }
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(lines[i], absl::MaxSplits(':', 1));
    head.headers.emplace(absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts.first)),
                         absl::StripAsciiWhitespace(parts.second));
  }
  return head;
}

// One file in several tries.
class Fetch {
 public:
  Fetch(const HttpOptions& options, absl::FunctionRef<absl::Status(int64_t)> reserve, int file)
      : options_(options), reserve_(reserve), file_(file) {}

  // Unavailable: another try may succeed.
  absl::Status Try(RemoteUrl url) {
    for (int redirects = 0;; ++redirects) {
      OP3D_RETURN_IF_ERROR(CheckAllowed(url, options_.allowed_hosts));
      Watch watch(options_.timeout_seconds);
      FfmpegLog log;
      std::string body;
      absl::StatusOr<Connection> connected = Connect(url, &watch);
      if (!connected.ok()) return WithReason(connected.status(), url, log);
      const Connection connection = *std::move(connected);
      OP3D_ASSIGN_OR_RETURN(const Head head, Ask(url, connection.get(), &watch, &body));
      const bool redirected = head.status == 301 || head.status == 302 || head.status == 303 ||
                              head.status == 307 || head.status == 308;
      if (!redirected) return Receive(head, connection.get(), &watch, std::move(body));
      if (redirects == kMostRedirects) {
        return absl::FailedPreconditionError(
            absl::StrCat("more than ", kMostRedirects, " redirects"));
      }
      const absl::StatusOr<RemoteUrl> next = ResolveRedirect(url, head.Get("location"));
      if (!next.ok()) {
        return absl::FailedPreconditionError(
            absl::StrCat("a redirect to nowhere: ", next.status().message()));
      }
      if (url.tls && !next->tls) {
        return absl::FailedPreconditionError(
            absl::StrCat("a redirect from https to ", next->Text(), ", which is not encrypted"));
      }
      url = *next;
    }
  }

 private:
  // Of a certificate that is not trusted FFmpeg says only in its log.
  static absl::Status WithReason(const absl::Status& status, const RemoteUrl& url,
                                 const FfmpegLog& log) {
    if (!url.tls || log.count() == 0) return status;
    return absl::Status(status.code(), absl::StrCat(status.message(), " (", log.first(), ")"));
  }

  // Why FFmpeg's call failed or ended.
  absl::Status Broken(int code, const Watch& watch, absl::string_view when) const {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    if (watch.stalled()) {
      return absl::UnavailableError(absl::StrFormat("%s: less than %g bytes a second came for %g s",
                                                    when, kSlowestBytesPerSecond,
                                                    options_.timeout_seconds));
    }
    if (code == AVERROR_EOF || code == 0) {
      return absl::UnavailableError(absl::StrCat(when, ": the server closed the connection"));
    }
    return absl::UnavailableError(FfmpegStatus(code, when).message());
  }

  absl::StatusOr<Connection> Connect(const RemoteUrl& url, Watch* watch) const {
    const AVIOInterruptCB interrupt = {&Watch::Interrupt, watch};
    AVDictionary* settings = nullptr;
    // httpproxy: FFmpeg's tls goes through the proxy of the environment, if it names one.
    av_dict_set(&settings, "protocol_whitelist", url.tls ? "tls,tcp,httpproxy" : "tcp", 0);
    if (url.tls) av_dict_set(&settings, "tls_verify", "1", 0);
    // As a fallback: the watch ends earlier.
    av_dict_set_int(&settings, "timeout",
                    static_cast<int64_t>(2e6 * std::max(options_.timeout_seconds, 1.0)), 0);
    AVIOContext* opened = nullptr;
    const int code = avio_open2(
        &opened, absl::StrCat(url.tls ? "tls" : "tcp", "://", url.host, ":", url.port).c_str(),
        AVIO_FLAG_READ_WRITE, &interrupt, &settings);
    av_dict_free(&settings);
    if (code < 0) return Broken(code, *watch, absl::StrCat("cannot connect to ", url.host));
    return Connection(opened);
  }

  // Sends the request; returns the answer's head, and the first part of its content in `body`.
  absl::StatusOr<Head> Ask(const RemoteUrl& url, AVIOContext* connection, Watch* watch,
                           std::string* body) const {
    const bool usual = url.port == (url.tls ? 443 : 80);
    std::string request = absl::StrCat("GET ", url.target, " HTTP/1.1\r\nHost: ", url.host,
                                       usual ? "" : absl::StrCat(":", url.port),
                                       "\r\nUser-Agent: op3d\r\nAccept: */*\r\nAccept-Encoding: "
                                       "identity\r\nConnection: close\r\n");
    if (received_ > 0) {
      absl::StrAppend(&request, "Range: bytes=", received_, "-\r\nIf-Range: ", version_, "\r\n");
    }
    request += "\r\n";
    avio_write(connection, reinterpret_cast<const unsigned char*>(request.data()),
               static_cast<int>(request.size()));
    avio_flush(connection);
    if (connection->error < 0) return Broken(connection->error, *watch, "cannot send the request");
    std::string text;
    size_t end = std::string::npos;
    std::vector<unsigned char> buffer(kBufferBytes);
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
      if (text.size() > kLongestHead) {
        return absl::FailedPreconditionError(
            absl::StrCat("the headers of the answer have more than ", kLongestHead, " bytes"));
      }
      const int count = avio_read_partial(connection, buffer.data(), kBufferBytes);
      if (count <= 0) return Broken(count, *watch, "no answer");
      watch->Add(count);
      text.append(reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(count));
    }
    *body = text.substr(end + 4);
    text.resize(end);
    return ParseHead(text);
  }

  absl::Status Receive(const Head& head, AVIOContext* connection, Watch* watch, std::string body) {
    OP3D_RETURN_IF_ERROR(CheckStatus(head.status));
    OP3D_RETURN_IF_ERROR(Begin(head));
    std::vector<unsigned char> buffer(kBufferBytes);
    for (;;) {
      // More bytes than the answer announced do not belong to it.
      const int64_t wanted =
          std::min<int64_t>(total_ - received_, static_cast<int64_t>(body.size()));
      OP3D_RETURN_IF_ERROR(Write(absl::string_view(body).substr(0, static_cast<size_t>(wanted))));
      if (received_ == total_) return absl::OkStatus();
      const int count = avio_read_partial(connection, buffer.data(), kBufferBytes);
      if (count <= 0 || Watch::Interrupt(watch) != 0) {
        return Broken(count, *watch, absl::StrCat("after ", received_, " of ", total_, " bytes"));
      }
      watch->Add(count);
      body.assign(reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(count));
    }
  }

  static absl::Status CheckStatus(int status) {
    switch (status) {
      case 200:
      case 206:
        return absl::OkStatus();
      case 401:
      case 403:
        return absl::PermissionDeniedError(
            absl::StrCat("the server refuses (", status,
                         "); op3d sends no credentials: use a public or presigned URL"));
      case 404:
      case 410:
        return absl::NotFoundError(absl::StrCat("the server has no such file (", status, ")"));
      default:
        break;
    }
    const std::string answer = absl::StrCat("the server answers ", status);
    return status == 408 || status == 429 || status >= 500 ? absl::UnavailableError(answer)
                                                           : absl::FailedPreconditionError(answer);
  }

  // Finds the size of the file and where this answer's content starts.
  absl::Status Begin(const Head& head) {
    if (!head.Get("transfer-encoding").empty() || !head.Get("content-encoding").empty()) {
      const std::string encoding = absl::AsciiStrToLower(
          absl::StrCat(head.Get("transfer-encoding"), head.Get("content-encoding")));
      if (encoding != "identity") {
        return absl::FailedPreconditionError(absl::StrCat(
            "the server sends it as '", encoding,
            "', which op3d does not read; serve a plain file with its Content-Length"));
      }
    }
    int64_t length = -1;
    if (!absl::SimpleAtoi(head.Get("content-length"), &length) || length < 0) {
      return absl::FailedPreconditionError(
          "the server does not say the file's size (Content-Length)");
    }
    int64_t total = length;
    if (head.status == 206) {
      // "bytes 100-999/1000"
      const std::string range = head.Get("content-range");
      const std::string expected =
          absl::StrCat("bytes ", received_, "-", received_ + length - 1, "/");
      absl::string_view rest = range;
      if (!absl::ConsumePrefix(&rest, expected) || !absl::SimpleAtoi(rest, &total) ||
          total != total_ || total != received_ + length) {
        Restart();
        return absl::UnavailableError(
            absl::StrCat("the server answers with the part '", range, "', not the one asked for"));
      }
      return absl::OkStatus();
    }
    // The whole file: the first try, or one of a file that has changed.
    Restart();
    if (length == 0) return absl::FailedPreconditionError("the file is empty");
    if (total != total_) OP3D_RETURN_IF_ERROR(reserve_(total));
    total_ = total;
    // Only with a version can a later try be sure that it continues the same file.
    version_ = head.Get("etag");
    if (version_.empty() || absl::StartsWith(version_, "W/")) version_ = head.Get("last-modified");
    return absl::OkStatus();
  }

  void Restart() { received_ = 0; }

  absl::Status Write(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), received_);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return ErrnoStatus(errno, "cannot write", "the cached copy");
      received_ += written;
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

 public:
  // After a failed try: what came can only be continued if its version is known.
  void KeepOrForget() {
    if (version_.empty()) Restart();
  }

 private:
  const HttpOptions& options_;
  absl::FunctionRef<absl::Status(int64_t)> reserve_;
  const int file_;
  int64_t received_ = 0;
  int64_t total_ = -1;
  std::string version_;
};

// Waits, but not after a signal.
absl::Status Sleep(double seconds) {
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  while (Clock::now() < end) {
    OP3D_RETURN_IF_ERROR(CheckInterrupt());
    std::this_thread::sleep_for(
        std::min<Clock::duration>(end - Clock::now(), std::chrono::milliseconds(50)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FetchHttp(const RemoteUrl& url, const HttpOptions& options,
                       absl::FunctionRef<absl::Status(int64_t bytes)> reserve, int file) {
  Fetch fetch(options, reserve, file);
  double wait = options.retry_seconds;
  for (int attempt = 1;; ++attempt) {
    absl::Status status = fetch.Try(url);
    if (status.ok() || absl::IsCancelled(status)) return status;
    if (!absl::IsUnavailable(status)) {
      // The message of a host that is not allowed names it.
      return absl::StrContains(status.message(), url.Text()) ? status
                                                             : Annotate(status, url.Text());
    }
    if (attempt >= options.tries) {
      return absl::UnavailableError(absl::StrCat(url.Text(), ": ", std::string(status.message()),
                                                 " (the last of ", attempt,
                                                 attempt == 1 ? " try)" : " tries)"));
    }
    fetch.KeepOrForget();
    OP3D_RETURN_IF_ERROR(Sleep(wait));
    wait *= 2;
  }
}

}  // namespace op3d::data
