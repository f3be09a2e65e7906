// Watches the processes of one training, so that none waits for a dead one.
//
//   RankWatch watch(std::move(store), {rank, size, "gpu07, process 4711"});
//   absl::Status status = Train();
//   if (!status.ok()) status = watch.Explain(status);   // "rank 1 (gpu08, process 12) has died"
//   status.ok() ? watch.Leave() : watch.Fail(status);
//
// Every rank sends a heartbeat once per interval and checks the next rank's.  A rank that is silent
// for too long, or that reports why it stops, becomes the verdict, which all ranks read.  A rank
// that is cut off from the store takes its host for dead.  A rank that still hangs in a collective
// operation some time after the verdict is ended.  Torch-free.
#ifndef OP3D_DISTRIBUTED_RANK_WATCH_H_
#define OP3D_DISTRIBUTED_RANK_WATCH_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace op3d {

// A table that all ranks share.  Called from one thread at a time; no call waits for other ranks,
// but a call may hang if the way to the table's host is cut.
class RankStore {
 public:
  virtual ~RankStore() = default;
  virtual absl::Status Set(const std::string& key, const std::string& value) = 0;
  // nullopt if no rank has set it.
  virtual absl::StatusOr<std::optional<std::string>> Get(const std::string& key) = 0;
  // Sets it if no rank has; returns the value it then has.
  virtual absl::StatusOr<std::string> SetFirst(const std::string& key,
                                               const std::string& value) = 0;
};

struct RankWatchOptions {
  int rank = 0;
  int size = 1;
  // The name of this rank in messages.
  std::string self;
  // The rank that hosts the store, for the message if the store does not answer; -1: a launcher.
  int store_rank = 0;
  absl::Duration interval = absl::Seconds(1);
  // A rank that is silent for this time counts as dead.
  absl::Duration silence = absl::Seconds(10);
  // The same after an operation has failed, which means that some rank is gone.
  absl::Duration silence_after_failure = absl::Seconds(3);
  // Time from a verdict until a process that hangs is ended.
  absl::Duration grace = absl::Seconds(10);
  // Ends the process; the default prints `sentence` to stderr and exits with 1.
  std::function<void(const std::string& sentence)> end_process;
};

// Thread-safe.
class RankWatch {
 public:
  RankWatch(std::unique_ptr<RankStore> store, RankWatchOptions options);
  // Stops the heartbeat.  Call Leave() or Fail() first, or the others treat it as dead.  Waits at
  // most `silence` for a request that hangs.
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  // This rank ends successfully: from now on its silence does not mean death.
  void Leave();

  // This rank stops because of `status`; the others will stop too.
  void Fail(const absl::Status& status);

  // `status`, or its cause: Unavailable with the verdict that names the rank that died or
  // stopped.  Waits for the verdict a little longer than `silence`.  Cancelled stays as it is.
  absl::Status Explain(const absl::Status& status);

  // Waits until every other rank has left, stopped or died, at most `most`.  For the rank that
  // hosts the store.
  void AwaitOthers(absl::Duration most);

 private:
  class Core;
  const std::shared_ptr<Core> core_;
  std::thread asking_, guarding_;
};

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_RANK_WATCH_H_
