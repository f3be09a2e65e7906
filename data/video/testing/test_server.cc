#include "data/video/testing/test_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace op3d::data {
namespace {

void Require(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::abort();
}

// The value of a header; empty if there is none.
std::string HeaderOf(absl::string_view text, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(text, "\r\n")) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (parts.first == name) return std::string(parts.second);
  }
  return "";
}

}  // namespace

void TestServer::Connection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void TestServer::Connection::SendFile(const Request& request, absl::string_view bytes,
                                      const std::string& etag) {
  const int64_t size = static_cast<int64_t>(bytes.size());
  const bool same = !etag.empty() && HeaderOf(request.text, "If-Range") == etag;
  if (request.start == 0 || !same || request.start >= size) {
    SendPart(bytes, bytes.size(), etag);
    return;
  }
  Send(absl::StrCat("HTTP/1.1 206 Partial Content\r\nContent-Length: ", size - request.start,
                    "\r\nContent-Range: bytes ", request.start, "-", size - 1, "/", size,
                    "\r\nETag: ", etag, "\r\n\r\n"));
  Send(bytes.substr(static_cast<size_t>(request.start)));
}

void TestServer::Connection::SendPart(absl::string_view bytes, size_t sent,
                                      const std::string& etag) {
  Send(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", bytes.size(), "\r\n",
                    etag.empty() ? "" : absl::StrCat("ETag: ", etag, "\r\n"), "\r\n"));
  Send(bytes.substr(0, sent));
}

void TestServer::Connection::SendStatus(const std::string& status, const std::string& headers) {
  Send(absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: 0\r\n", headers, "\r\n"));
}

void TestServer::Connection::Stall() {
  char byte;
  while (::recv(socket_, &byte, 1, 0) > 0) {
  }
}

TestServer::TestServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Require(listener_ >= 0, "socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  Require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  Require(::listen(listener_, 64) == 0, "listen");
  Require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "name");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

TestServer::~TestServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  std::vector<std::thread> threads;
  {
    absl::MutexLock lock(&mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void TestServer::Accept() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    absl::MutexLock lock(&mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void TestServer::Serve(int socket) {
  Request request;
  char buffer[4096];
  while (!absl::StrContains(request.text, "\r\n\r\n")) {
    const ssize_t count = ::recv(socket, buffer, sizeof(buffer), 0);
    if (count <= 0) break;
    request.text.append(buffer, static_cast<size_t>(count));
  }
  const std::vector<std::string> words = absl::StrSplit(request.text, absl::MaxSplits(' ', 2));
  if (words.size() == 3) {
    request.target = words[1];
    const std::vector<std::string> range =
        absl::StrSplit(HeaderOf(request.text, "Range"), absl::ByAnyChar("=-"));
    if (range.size() == 3) Require(absl::SimpleAtoi(range[1], &request.start), "range");
    {
      absl::MutexLock lock(&mutex_);
      request.number = ++requests_;
    }
    Connection connection(socket);
    handler_(request, &connection);
  }
  absl::MutexLock lock(&mutex_);
  sockets_.erase(std::find(sockets_.begin(), sockets_.end(), socket));
  ::close(socket);
}

std::string TestServer::host() const { return absl::StrCat("localhost:", port_); }

std::string TestServer::Url(absl::string_view target) const {
  return absl::StrCat("http://", host(), target);
}

int TestServer::requests() const {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

}  // namespace op3d::data
