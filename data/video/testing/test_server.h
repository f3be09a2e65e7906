// An HTTP server on localhost for tests, which answers as the test says: also wrongly, or not at all.
//
//   TestServer server([&](const TestServer::Request& request, TestServer::Connection* connection) {
//     connection->SendFile(request, bytes, "\"v1\"");
//   });
//   Fetch(server.Url("/a.mp4"));
#ifndef OP3D_DATA_VIDEO_TESTING_TEST_SERVER_H_
#define OP3D_DATA_VIDEO_TESTING_TEST_SERVER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace op3d::data {

class TestServer {
 public:
  struct Request {
    // "/a.mp4"
    std::string target;
    // All of it, with its headers.
    std::string text;
    // The number of the request, from 1.
    int number = 0;
    // Of the header Range; 0 without one.
    int64_t start = 0;
  };

  class Connection {
   public:
    void Send(absl::string_view bytes);
    // A whole answer, or the part asked for if the version is still `etag` (empty: always whole).
    void SendFile(const Request& request, absl::string_view bytes, const std::string& etag = "");
    // The answer to a request for all of `bytes`, but only its first `sent` bytes.
    void SendPart(absl::string_view bytes, size_t sent, const std::string& etag = "");
    void SendStatus(const std::string& status, const std::string& headers = "");
    // Sends nothing more until the client or the test ends.
    void Stall();

   private:
    friend class TestServer;
    explicit Connection(int socket) : socket_(socket) {}
    const int socket_;
  };

  // Called in a thread for each connection, of which there is one for each request; it is closed
  // afterwards.
  using Handler = std::function<void(const Request& request, Connection* connection)>;

  explicit TestServer(Handler handler);
  ~TestServer();

  int port() const { return port_; }
  // "localhost:12345".
  std::string host() const;
  std::string Url(absl::string_view target) const;
  int requests() const;

 private:
  void Accept();
  void Serve(int socket);

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  mutable absl::Mutex mutex_;
  int requests_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<int> sockets_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace op3d::data

#endif  // OP3D_DATA_VIDEO_TESTING_TEST_SERVER_H_
