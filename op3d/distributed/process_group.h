// The processes of one training and their communication: the only user of LibTorch's c10d.
//
//   OP3D_ASSIGN_OR_RETURN(RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
//   OP3D_ASSIGN_OR_RETURN(auto group, ProcessGroup::Join(ranks, "cpu", settings_text));
//   OP3D_RETURN_IF_ERROR(group->AllReduce(&losses));                // now the sums over all ranks
//   group->Leave(status);
//
// Tensors on the CPU use Gloo; those on a GPU NCCL, in a build with --config=cuda.  All ranks must
// call every operation, in the same order.  If a rank dies, the operations of the
// others end with an error that names it (RankWatch).
#ifndef OP3D_DISTRIBUTED_PROCESS_GROUP_H_
#define OP3D_DISTRIBUTED_PROCESS_GROUP_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "op3d/distributed/rank_environment.h"

namespace op3d {

struct JoinOptions {
  // How long a rank waits for the others to join.
  absl::Duration patience = absl::Minutes(5);
  // A rank that is silent for this time counts as dead.
  absl::Duration silence = absl::Seconds(10);
  // Time from the verdict until a rank that hangs is ended.
  absl::Duration grace = absl::Seconds(10);
};

// Call operations from one thread at a time.
class ProcessGroup {
 public:
  // Joins the other ranks at ranks.host:port.  `device` is where the tensors will be.  `settings`
  // must be the same text on all ranks; otherwise InvalidArgument on all of them names the rank and
  // the first line that differs.  FailedPrecondition if the port is in use, or if NCCL is requested
  // in a build without it; Unavailable if ranks do not join in time.
  static absl::StatusOr<std::unique_ptr<ProcessGroup>> Join(const RankEnvironment& ranks,
                                                            const std::string& device,
                                                            const std::string& settings,
                                                            const JoinOptions& options = {});
  // As Leave(OK).
  ~ProcessGroup();

  int rank() const;
  int size() const;

  // A running all-reduce; call Wait() once.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual absl::Status Wait() = 0;
  };
  // Starts to replace `tensor` by the sum over the ranks, the same bits on all.  Do not use it
  // before Wait().
  absl::StatusOr<std::unique_ptr<Pending>> StartAllReduce(const at::Tensor& tensor);

  // Replaces each number by the sum over the ranks.
  absl::Status AllReduce(std::vector<double>* numbers);

  // Replaces the tensors by rank 0's; same shapes on all ranks.
  absl::Status Broadcast(const std::vector<at::Tensor>& tensors);
  // Rank 0's `bytes`, on all ranks.
  absl::StatusOr<std::string> Broadcast(const std::string& bytes);

  // Every rank's `bytes`, by rank.
  absl::StatusOr<std::vector<std::string>> Gather(const std::string& bytes);

  // Ends this rank's part, with OK or with an error with which the others then end too.  The rank
  // that hosts the store waits for the others, at most some seconds.
  void Leave(const absl::Status& status);

 private:
  struct State;
  explicit ProcessGroup(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_PROCESS_GROUP_H_
