#include "op3d/distributed/rank_environment.h"

#include <cstdint>
#include <cstdlib>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "op3d/base/status_macros.h"

namespace op3d {
namespace {

// c10d's own port, torchrun's default.
constexpr int kDefaultPort = 29500;

// A whole number in [least, most].
absl::StatusOr<int> Number(const GetVariable& get, const char* name, int least, int most,
                           std::optional<int> otherwise) {
  const std::optional<std::string> text = get(name);
  if (!text.has_value()) {
    if (otherwise.has_value()) return *otherwise;
    return absl::InvalidArgumentError(absl::StrCat(
        "the environment has no ", name,
        ", which a process among several needs; start them with "
        "torchrun or srun, or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT yourself"));
  }
  int value = 0;
  if (absl::SimpleAtoi(*text, &value) && value >= least && value <= most) return value;
  return absl::InvalidArgumentError(absl::StrCat("the environment's ", name, " is '", *text,
                                                 "'; it must be a whole number in [", least, ", ",
                                                 most, "]"));
}

constexpr int kMostRanks = 1 << 20;
constexpr int kMostIds = 0x7fffffff;

// Two jobs on one machine, or two steps of one job, must not use the same port.
int SlurmPort(int job, int step) {
  constexpr int kFirst = 20000;
  // Ports from 32768 on are Linux's own for outgoing connections.
  constexpr int kPorts = 12768;
  // Steps of one job are far from the jobs started next.
  constexpr int64_t kStepDistance = 5003;
  return kFirst + static_cast<int>((job + kStepDistance * step) % kPorts);
}

absl::StatusOr<RankEnvironment> ReadTorchrun(const GetVariable& get) {
  RankEnvironment ranks;
  OP3D_ASSIGN_OR_RETURN(ranks.size, Number(get, "WORLD_SIZE", 1, kMostRanks, std::nullopt));
  OP3D_ASSIGN_OR_RETURN(ranks.rank, Number(get, "RANK", 0, ranks.size - 1, std::nullopt));
  OP3D_ASSIGN_OR_RETURN(ranks.local_rank, Number(get, "LOCAL_RANK", 0, kMostRanks, ranks.rank));
  if (ranks.size == 1) return ranks;
  const std::optional<std::string> host = get("MASTER_ADDR");
  if (!host.has_value() || host->empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "WORLD_SIZE is ", ranks.size, " but MASTER_ADDR is not set; set it to the host of rank 0"));
  }
  ranks.host = *host;
  OP3D_ASSIGN_OR_RETURN(ranks.port, Number(get, "MASTER_PORT", 1, 65535, kDefaultPort));
  ranks.rank_0_keeps_store = get("TORCHELASTIC_USE_AGENT_STORE").value_or("False") != "True";
  OP3D_ASSIGN_OR_RETURN(ranks.attempt, Number(get, "TORCHELASTIC_RESTART_COUNT", 0, 1 << 30, 0));
  return ranks;
}

absl::StatusOr<RankEnvironment> ReadSlurm(const GetVariable& get) {
  RankEnvironment ranks;
  OP3D_ASSIGN_OR_RETURN(ranks.size,
                        Number(get, "SLURM_STEP_NUM_TASKS", 1, kMostRanks, std::nullopt));
  OP3D_ASSIGN_OR_RETURN(ranks.rank, Number(get, "SLURM_PROCID", 0, ranks.size - 1, std::nullopt));
  OP3D_ASSIGN_OR_RETURN(ranks.local_rank, Number(get, "SLURM_LOCALID", 0, kMostRanks, ranks.rank));
  if (ranks.size == 1) return ranks;
  ranks.host = get("MASTER_ADDR")
                   .value_or(FirstSlurmHost(
                       get("SLURM_STEP_NODELIST").value_or(get("SLURM_NODELIST").value_or(""))));
  if (ranks.host.empty()) {
    return absl::InvalidArgumentError(
        "the environment has SLURM_PROCID but no SLURM_STEP_NODELIST: set MASTER_ADDR to the host "
        "of rank 0");
  }
  OP3D_ASSIGN_OR_RETURN(const int job, Number(get, "SLURM_JOB_ID", 0, kMostIds, 0));
  OP3D_ASSIGN_OR_RETURN(const int step, Number(get, "SLURM_STEP_ID", 0, kMostIds, 0));
  OP3D_ASSIGN_OR_RETURN(ranks.port, Number(get, "MASTER_PORT", 1, 65535, SlurmPort(job, step)));
  OP3D_ASSIGN_OR_RETURN(ranks.attempt, Number(get, "SLURM_RESTART_COUNT", 0, 1 << 30, 0));
  return ranks;
}

}  // namespace

GetVariable ProcessEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

absl::StatusOr<RankEnvironment> ReadRankEnvironment(const GetVariable& get) {
  if (get("RANK").has_value() || get("WORLD_SIZE").has_value()) return ReadTorchrun(get);
  // A batch script outside srun also has SLURM_PROCID and SLURM_NTASKS, but is not a step's task.
  if (get("SLURM_STEP_NUM_TASKS").has_value() && get("SLURM_PROCID").has_value()) {
    return ReadSlurm(get);
  }
  return RankEnvironment();
}

std::string FirstSlurmHost(const std::string& nodes) {
  const size_t end = nodes.find_first_of("[,");
  if (end == std::string::npos || nodes[end] == ',') return nodes.substr(0, end);
  const size_t number = nodes.find_first_of("-,]", end);
  return absl::StrCat(nodes.substr(0, end), nodes.substr(end + 1, number - end - 1));
}

}  // namespace op3d
