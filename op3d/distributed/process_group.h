// The processes of one training, and what they say to each other: the door to LibTorch's c10d.
//
//   OP3D_ASSIGN_OR_RETURN(RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
//   OP3D_ASSIGN_OR_RETURN(auto group, ProcessGroup::Join(ranks, "cpu", settings_text));
//   OP3D_RETURN_IF_ERROR(group->AllReduce(&losses));                // now the sums over all ranks
//   group->Leave(status);
//
// Tensors on the CPU travel by Gloo; on a GPU by NCCL, in a build with --config=cuda.  Every
// operation is called by all ranks in the same order.  Where a rank dies, the operations of the
// others end with a sentence that names it (RankWatch).
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
  // How long a rank waits for the others to come.
  absl::Duration patience = absl::Minutes(5);
  // A rank not heard for so long is dead.
  absl::Duration silence = absl::Seconds(10);
  // From the verdict to the end of a rank that hangs.
  absl::Duration grace = absl::Seconds(10);
};

// Operations are called from one thread at a time.
class ProcessGroup {
 public:
  // Meets the other ranks at ranks.host:port.  `device` is what tensors will be on.  `settings`
  // must be the same text on all ranks: InvalidArgument on all of them names the rank and the first
  // line that differs.  FailedPrecondition when the port is in use, or NCCL is asked for in a build
  // without it; Unavailable when ranks do not come in time.
  static absl::StatusOr<std::unique_ptr<ProcessGroup>> Join(const RankEnvironment& ranks,
                                                            const std::string& device,
                                                            const std::string& settings,
                                                            const JoinOptions& options = {});
  // As Leave(OK).
  ~ProcessGroup();

  int rank() const;
  int size() const;

  // A sum under way; Wait() is called once.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual absl::Status Wait() = 0;
  };
  // Begins to replace `tensor` by the sum over the ranks, the same bits on all.  It must not be
  // touched before Wait().
  absl::StatusOr<std::unique_ptr<Pending>> StartAllReduce(const at::Tensor& tensor);

  // Replaces each number by the sum over the ranks.
  absl::Status AllReduce(std::vector<double>* numbers);

  // Replaces the tensors by rank 0's; same shapes on all ranks.
  absl::Status Broadcast(const std::vector<at::Tensor>& tensors);
  // Rank 0's `bytes`, on all ranks.
  absl::StatusOr<std::string> Broadcast(const std::string& bytes);

  // Every rank's `bytes`, by rank.
  absl::StatusOr<std::vector<std::string>> Gather(const std::string& bytes);

  // Ends this rank's part, well or with an error that the others then end with too.  The rank that
  // keeps the meeting point waits for the others, some seconds at most.
  void Leave(const absl::Status& status);

 private:
  struct State;
  explicit ProcessGroup(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_PROCESS_GROUP_H_
