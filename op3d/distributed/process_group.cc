#include "op3d/distributed/process_group.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Logging.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/thread/interrupt.h"
#include "op3d/distributed/nccl.h"
#include "op3d/distributed/rank_watch.h"
#include "op3d/torch/torch_status.h"

namespace op3d {
namespace {

using StorePointer = c10::intrusive_ptr<c10d::Store>;

// An operation takes this long only if a rank is dead, and the watch detects that.
constexpr std::chrono::hours kOperationTimeout{24};
// The timeout of the watch's own requests to the store.
constexpr std::chrono::seconds kWatchTimeout{5};

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }
std::string Text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

class WatchStore : public RankStore {
 public:
  explicit WatchStore(StorePointer store) : store_(std::move(store)) {}

  absl::Status Set(const std::string& key, const std::string& value) override {
    return CatchTorch([&] {
      store_->set(key, Bytes(value));
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) override {
    std::optional<std::string> value;
    OP3D_RETURN_IF_ERROR(CatchTorch([&] {
      if (store_->check({key})) value = Text(store_->get(key));
      return absl::OkStatus();
    }));
    return value;
  }

  absl::StatusOr<std::string> SetFirst(const std::string& key, const std::string& value) override {
    std::string there;
    OP3D_RETURN_IF_ERROR(CatchTorch([&] {
      there = Text(store_->compareSet(key, {}, Bytes(value)));
      return absl::OkStatus();
    }));
    return there;
  }

 private:
  const StorePointer store_;
};

std::string HostName() {
  char name[256] = "?";
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

// The first line in which two texts differ, as "'a' there, 'b' here".
std::string FirstDifference(const std::string& there, const std::string& here) {
  const std::vector<std::string> a = absl::StrSplit(there, '\n'), b = absl::StrSplit(here, '\n');
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "", right = i < b.size() ? b[i] : "";
    if (left != right) return absl::StrCat("'", left, "' there, '", right, "' here");
  }
  return "nothing";
}

// This machine's address on the way to the ranks' host; "" if there is none but the loopback.
std::string AddressTowards(const RankEnvironment& ranks) {
  addrinfo hints = {}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (::getaddrinfo(ranks.host.c_str(), absl::StrCat(ranks.port).c_str(), &hints, &found) != 0) {
    return "";
  }
  std::string address;
  for (const addrinfo* one = found; one != nullptr && address.empty(); one = one->ai_next) {
    const int fd = ::socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_storage self = {};
    socklen_t size = sizeof(self);
    char text[NI_MAXHOST] = "";
    // Of a datagram socket this only chooses the route: nothing is sent.
    if (fd >= 0 && ::connect(fd, one->ai_addr, one->ai_addrlen) == 0 &&
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&self), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&self), size, text, sizeof(text), nullptr, 0,
                      NI_NUMERICHOST) == 0 &&
        !IsLoopback(text)) {
      address = text;
    }
    if (fd >= 0) ::close(fd);
  }
  ::freeaddrinfo(found);
  return address;
}

// Where Gloo listens for the other ranks.  Its own default is the address of this machine's name,
// which Debian sets to the loopback.
std::shared_ptr<gloo::transport::Device> MakeDevice(const RankEnvironment& ranks) {
  using Gloo = c10d::ProcessGroupGloo;
  const char* const interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0') return Gloo::createDeviceForInterface(interface);
  if (IsLoopback(ranks.host)) return Gloo::createDeviceForHostname("127.0.0.1");
  const std::string address = AddressTowards(ranks);
  return address.empty() ? Gloo::createDefaultDevice() : Gloo::createDeviceForHostname(address);
}

std::string Where(const RankEnvironment& ranks) {
  return absl::StrCat(ranks.host, ":", ranks.port);
}

// Turns c10d's error when ranks cannot join into a useful message.
absl::Status ExplainMeeting(const absl::Status& status, const RankEnvironment& ranks,
                            absl::Duration patience) {
  if (status.ok()) return status;
  const absl::string_view message = status.message();
  if (absl::StrContains(message, "EADDRINUSE") ||
      absl::StrContains(message, "ddress already in use")) {
    return absl::FailedPreconditionError(
        absl::StrCat("port ", ranks.port, " on ", HostName(),
                     ", the rendezvous address of the ranks, is in use; set MASTER_PORT to "
                     "another one"));
  }
  return absl::UnavailableError(
      absl::StrCat("rank ", ranks.rank, " of ", ranks.size, " did not meet the others at ",
                   Where(ranks), " within ", absl::FormatDuration(patience),
                   "; are all of them started, with the same MASTER_ADDR and MASTER_PORT? (",
                   message.substr(0, message.find('\n')), ")"));
}

// Compares rank 0's settings with each rank's; all ranks return the same.
absl::Status CompareSettings(const RankEnvironment& ranks, const std::string& self,
                             const std::string& settings, c10d::Store* store) {
  const auto key = [](const char* what, int rank) {
    return absl::StrCat("join/", what, "/", rank);
  };
  const std::string text = absl::StrCat("ranks: ", ranks.size, "\n", settings);
  store->set(absl::StrCat("watch/name/", ranks.rank), Bytes(self));
  if (ranks.rank == 0) store->set(key("settings", 0), Bytes(text));
  const std::string first = Text(store->get(key("settings", 0)));
  const std::string found =
      first == text
          ? "same"
          : absl::StrCat("rank ", ranks.rank, " (", self,
                         ") has other settings than rank 0: ", FirstDifference(first, text),
                         "; start all ranks with the same command and settings");
  store->set(key("compared", ranks.rank), Bytes(found));
  // Do not wait for a rank that expects another number of ranks.
  if (ranks.rank > 0 && found != "same") return absl::InvalidArgumentError(found);
  if (ranks.rank == 0) {
    std::string all = "same";
    for (int rank = 1; rank < ranks.size && all == "same"; ++rank) {
      all = Text(store->get(key("compared", rank)));
    }
    store->set(key("all", 0), Bytes(all));
  }
  const std::string all = Text(store->get(key("all", 0)));
  return all == "same" ? absl::OkStatus() : absl::InvalidArgumentError(all);
}

class PendingSum : public ProcessGroup::Pending {
 public:
  PendingSum(c10::intrusive_ptr<c10d::Work> work, RankWatch* watch)
      : work_(std::move(work)), watch_(watch) {}

  absl::Status Wait() override {
    return watch_->Explain(CatchTorch([&] {
      work_->wait();
      return absl::OkStatus();
    }));
  }

 private:
  const c10::intrusive_ptr<c10d::Work> work_;
  RankWatch* const watch_;
};

}  // namespace

struct ProcessGroup::State {
  RankEnvironment ranks;
  at::Device device = at::kCPU;
  // Kept alive by rank 0 as long as others use it.
  StorePointer store;
  // For tensors on the CPU and everything that is not a tensor; for tensors of `device`.
  c10::intrusive_ptr<c10d::Backend> host_backend, device_backend;
  std::unique_ptr<RankWatch> watch;
  bool left = false;

  // Runs an operation and explains its error.
  absl::Status Run(absl::FunctionRef<void()> operation) {
    return watch->Explain(CatchTorch([&] {
      operation();
      return absl::OkStatus();
    }));
  }

  c10::intrusive_ptr<c10d::Backend>& BackendOf(const at::Tensor& tensor) {
    return tensor.device().is_cpu() ? host_backend : device_backend;
  }
};

ProcessGroup::ProcessGroup(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<ProcessGroup>> ProcessGroup::Join(const RankEnvironment& ranks,
                                                                 const std::string& device,
                                                                 const std::string& settings,
                                                                 const JoinOptions& options) {
  // When a rank has died, c10d prints stack traces before the message that says it.
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_ERROR;
  // Gloo's writev() to a rank that has just died would end this one without a word.
  IgnoreBrokenPipes();
  auto state = std::make_unique<State>();
  state->ranks = ranks;
  state->device = at::Device(device);
  const std::string self = absl::StrCat(HostName(), ", process ", ::getpid());
  StorePointer meeting;
  OP3D_RETURN_IF_ERROR(ExplainMeeting(
      CatchTorch([&] {
        c10d::TCPStoreOptions store_options;
        store_options.port = static_cast<uint16_t>(ranks.port);
        store_options.isServer = ranks.rank == 0 && ranks.rank_0_keeps_store;
        store_options.numWorkers = ranks.size;
        store_options.waitWorkers = ranks.rank_0_keeps_store;
        store_options.timeout =
            std::chrono::milliseconds(absl::ToInt64Milliseconds(options.patience));
        meeting = c10::make_intrusive<c10d::TCPStore>(ranks.host, store_options);
        // A launcher's store survives an attempt; its old entries must not count.
        state->store =
            c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("op3d/", ranks.attempt), meeting);
        return absl::OkStatus();
      }),
      ranks, options.patience));
  absl::Status compared;
  OP3D_RETURN_IF_ERROR(ExplainMeeting(CatchTorch([&] {
                                        compared = CompareSettings(ranks, self, settings,
                                                                   state->store.get());
                                        return absl::OkStatus();
                                      }),
                                      ranks, options.patience));
  OP3D_RETURN_IF_ERROR(compared);
  OP3D_RETURN_IF_ERROR(ExplainMeeting(
      CatchTorch([&] {
        auto gloo_options = c10d::ProcessGroupGloo::Options::create(kOperationTimeout);
        gloo_options->devices.push_back(MakeDevice(ranks));
        state->host_backend = c10::make_intrusive<c10d::ProcessGroupGloo>(
            c10::make_intrusive<c10d::PrefixStore>("gloo", state->store), ranks.rank, ranks.size,
            gloo_options);
        return absl::OkStatus();
      }),
      ranks, options.patience));
  state->device_backend = state->host_backend;
  if (device != "cpu") {
    OP3D_ASSIGN_OR_RETURN(
        state->device_backend,
        MakeNcclBackend(c10::make_intrusive<c10d::PrefixStore>("nccl", state->store), ranks,
                        state->device, kOperationTimeout));
  }
  RankWatchOptions watch_options;
  watch_options.rank = ranks.rank;
  watch_options.size = ranks.size;
  watch_options.self = self;
  watch_options.store_rank = ranks.rank_0_keeps_store ? 0 : -1;
  watch_options.silence = options.silence;
  watch_options.silence_after_failure = std::min(options.silence, absl::Seconds(3));
  watch_options.interval = std::min(options.silence / 10, absl::Seconds(1));
  watch_options.grace = options.grace;
  OP3D_RETURN_IF_ERROR(CatchTorch([&] {
    // A connection of its own, because the watch sends requests while the main thread waits.
    StorePointer clone = state->store->clone();
    clone->setTimeout(kWatchTimeout);
    state->watch = std::make_unique<RankWatch>(std::make_unique<WatchStore>(clone), watch_options);
    return absl::OkStatus();
  }));
  return std::unique_ptr<ProcessGroup>(new ProcessGroup(std::move(state)));
}

ProcessGroup::~ProcessGroup() { Leave(absl::OkStatus()); }

int ProcessGroup::rank() const { return state_->ranks.rank; }
int ProcessGroup::size() const { return state_->ranks.size; }

absl::StatusOr<std::unique_ptr<ProcessGroup::Pending>> ProcessGroup::StartAllReduce(
    const at::Tensor& tensor) {
  c10::intrusive_ptr<c10d::Work> work;
  OP3D_RETURN_IF_ERROR(state_->Run([&] {
    std::vector<at::Tensor> tensors = {tensor};
    work = state_->BackendOf(tensor)->allreduce(tensors);
  }));
  return std::make_unique<PendingSum>(std::move(work), state_->watch.get());
}

absl::Status ProcessGroup::AllReduce(std::vector<double>* numbers) {
  return state_->Run([&] {
    std::vector<at::Tensor> tensors = {at::from_blob(
        numbers->data(), {static_cast<int64_t>(numbers->size())}, at::TensorOptions(at::kDouble))};
    state_->host_backend->allreduce(tensors)->wait();
  });
}

absl::Status ProcessGroup::Broadcast(const std::vector<at::Tensor>& tensors) {
  return state_->Run([&] {
    for (const at::Tensor& tensor : tensors) {
      std::vector<at::Tensor> one = {tensor.detach()};
      state_->BackendOf(tensor)->broadcast(one)->wait();
    }
  });
}

absl::StatusOr<std::string> ProcessGroup::Broadcast(const std::string& bytes) {
  std::string result;
  OP3D_RETURN_IF_ERROR(state_->Run([&] {
    int64_t size = static_cast<int64_t>(bytes.size());
    std::vector<at::Tensor> one = {at::from_blob(&size, {1}, at::TensorOptions(at::kLong))};
    state_->host_backend->broadcast(one)->wait();
    result = rank() == 0 ? bytes : std::string(static_cast<size_t>(size), '\0');
    if (size == 0) return;
    one = {at::from_blob(result.data(), {size}, at::TensorOptions(at::kByte))};
    state_->host_backend->broadcast(one)->wait();
  }));
  return result;
}

absl::StatusOr<std::vector<std::string>> ProcessGroup::Gather(const std::string& bytes) {
  std::vector<std::string> result;
  OP3D_RETURN_IF_ERROR(state_->Run([&] {
    const auto gather = [&](at::Tensor mine) {
      std::vector<at::Tensor> one = {mine};
      std::vector<std::vector<at::Tensor>> all(1);
      for (int i = 0; i < size(); ++i) all[0].push_back(at::empty(mine.sizes(), mine.options()));
      state_->host_backend->allgather(all, one)->wait();
      return all[0];
    };
    int64_t count = static_cast<int64_t>(bytes.size());
    const std::vector<at::Tensor> counts =
        gather(at::from_blob(&count, {1}, at::TensorOptions(at::kLong)));
    int64_t most = 1;
    for (const at::Tensor& other : counts) most = std::max(most, other.item<int64_t>());
    // All ranks must send the same number of bytes; the padding is removed again.
    std::string padded = bytes;
    padded.resize(static_cast<size_t>(most));
    const std::vector<at::Tensor> parts =
        gather(at::from_blob(padded.data(), {most}, at::TensorOptions(at::kByte)));
    for (int i = 0; i < size(); ++i) {
      result.emplace_back(static_cast<const char*>(parts[i].const_data_ptr()),
                          static_cast<size_t>(counts[i].item<int64_t>()));
    }
  }));
  return result;
}

void ProcessGroup::Leave(const absl::Status& status) {
  if (state_->left) return;
  state_->left = true;
  const bool on_gpu = !state_->device.is_cpu();
  if (status.ok()) {
    if (on_gpu) {
      CatchTorch([this] {
        const c10::impl::VirtualGuardImpl guard(state_->device.type());
        guard.synchronizeDevice(state_->device.has_index() ? state_->device.index() : 0);
        return absl::OkStatus();
      }).IgnoreError();
    }
    state_->watch->Leave();
  } else {
    state_->watch->Fail(status);
    // Its destructor may wait for an operation that never ends.
    if (on_gpu) state_->device_backend.release();
  }
  // NCCL's destructor would cut an operation that another rank is still in.
  const bool needed = (rank() == 0 && state_->ranks.rank_0_keeps_store) || (on_gpu && status.ok());
  if (needed) state_->watch->AwaitOthers(absl::Seconds(10));
}

}  // namespace op3d
