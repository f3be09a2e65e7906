// Which of several training processes this one is, from the environment variables of its launcher.
//
//   OP3D_ASSIGN_OR_RETURN(RankEnvironment ranks, ReadRankEnvironment(ProcessEnvironment()));
//   if (ranks.size > 1) Use(ranks.rank);                  // torchrun, srun; else alone
//
// torchrun and similar launchers set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT; srun
// sets SLURM_PROCID and others.  A process without any of them is alone.
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
  // The rank among the processes of this machine; selects its GPU.
  int local_rank = 0;
  // Host and port of the store where the ranks meet.
  std::string host;
  int port = 0;
  // Rank 0 hosts the store; otherwise the launcher does (torchrun's agent).
  bool rank_0_keeps_store = true;
  // How many times the launcher has restarted the ranks.
  int attempt = 0;
};

// A variable's value; nullopt if it is not set.
using GetVariable = std::function<std::optional<std::string>(const char* name)>;

// This process's own.
GetVariable ProcessEnvironment();

// RANK and its like take precedence over Slurm's.  InvalidArgument names the variable that is
// missing, is not a number or contradicts the others, with its value.
absl::StatusOr<RankEnvironment> ReadRankEnvironment(const GetVariable& get);

// The first host of a Slurm node list: "gpu[003-005,9],login" -> "gpu003".
std::string FirstSlurmHost(const std::string& nodes);

}  // namespace op3d

#endif  // OP3D_DISTRIBUTED_RANK_ENVIRONMENT_H_
