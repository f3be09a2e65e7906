// Which of several training processes this one is, as its launcher says in the environment.
//
//   OP3D_ASSIGN_OR_RETURN(RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
//   if (ranks.size > 1) Use(ranks.rank);                  // torchrun, srun; else alone
//
// torchrun and its like set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT; srun sets
// SLURM_PROCID and others.  A process without any of them is alone.
#ifndef OP3D_DISTRIBUTED_RANK_ENVIRONMENT_H_
#define OP3D_DISTRIBUTED_RANK_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace op3d {

struct RankEnvironment {
  // In [0, size).
  int rank = 0;
  int size = 1;
  // Among the processes of this machine: which GPU is its own.
  int local_rank = 0;
  // Where the ranks meet.
  std::string host;
  int port = 0;
  // Rank 0 keeps the meeting point; otherwise the launcher does (torchrun's agent).
  bool rank_0_keeps_store = true;
  // How often the launcher has restarted the ranks.
  int attempt = 0;
};

// A variable's value; empty optional when it is not set.
using GetVariable = std::function<std::optional<std::string>(const char* name)>;

// This process's own.
GetVariable ProcessEnvironment();

// RANK and its like count before Slurm's.  InvalidArgument names the variable that is missing, is
// no number or does not fit the others, with its value.
absl::StatusOr<RankEnvironment> ReadRankEnvironment(const GetVariable& get);

// The first host of a Slurm node list: "gpu[003-005,9],login" -> "gpu003".
std::string FirstSlurmHost(const std::string& nodes);

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_RANK_ENVIRONMENT_H_
