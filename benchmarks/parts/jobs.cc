#include "benchmarks/parts/jobs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "op3d/base/file.h"
#include "op3d/base/proto_json.h"
#include "op3d/base/safetensors.h"
#include "op3d/base/status_macros.h"
#include "op3d/base/textproto.h"
#include "op3d/base/training_failure.h"
#include "op3d/train/edge/edge_server.h"
#include "op3d/train/edge/edge_trainer.h"
#include "results/record/environment.h"

namespace op3d::benchmarks {
namespace {

constexpr char kJobs[] = "jobs";
constexpr char kTimeSuffix[] = ".time.textproto";
constexpr char kPlanned[] = "planned/";
constexpr char kPublished[] = "published/";
// A whole test may be between two lines.
constexpr absl::Duration kAnswerTimeout = absl::Hours(24 * 7);

std::string JobsFolder(const std::string& run_folder) { return JoinPath(run_folder, kJobs); }

std::string CommandOf(const JobOptions& options, const std::string& service, int job) {
  return absl::StrCat(options.command, " --serve=", service, " --job=", job);
}

std::string LauncherOf(const JobOptions& options, int job) {
  return absl::StrReplaceAll(options.launcher, {{"{job}", absl::StrCat(job)}});
}

// Writes what a child has used so far.
class TimeReport {
 public:
  TimeReport(const RunContext& context, const std::string& service, int number)
      : context_(context),
        path_(JoinPath(
            JobsFolder(context.folder),
            absl::StrCat(absl::StrReplaceAll(service, {{"/", "-"}}), "-", number, kTimeSuffix))) {}

  absl::Status Write(const ActivitySeconds& seconds) const {
    if (context_.group != nullptr && context_.group->rank() != 0) return absl::OkStatus();
    TimeSplit time;
    time.set_decode(context_.data->frames->counters().decode_seconds);
    time.set_transform(seconds.transform);
    time.set_forward(seconds.forward);
    time.set_backward(seconds.backward);
    time.set_step(seconds.step);
    time.set_peak_memory_mib(results::PeakMemoryMib());
    OP3D_RETURN_IF_ERROR(MakeFolders(JobsFolder(context_.folder)));
    return WriteTextproto(path_, time);
  }

 private:
  const RunContext& context_;
  const std::string path_;
};

// Does one job; `seconds` is what it took.
absl::Status DoJob(const RunContext& context, const Job& job, const SayFunction& say,
                   ActivitySeconds* seconds) {
  switch (job.work_case()) {
    case Job::kTrain: {
      const std::unique_ptr<RecipeRun> run = MakeRecipe(context, job.train());
      absl::Status said;
      const absl::Status status = run->Train([&](int done, int total, double loss) {
        JobAnswer answer;
        answer.set_epochs(done);
        answer.set_of(total);
        answer.set_loss(loss);
        const absl::StatusOr<std::string> line = PrintProtoJson(answer);
        said.Update(line.ok() ? say(*line) : line.status());
      });
      *seconds = run->seconds();
      OP3D_RETURN_IF_ERROR(status);
      return said;
    }
    case Job::kTest: {
      const std::unique_ptr<RecipeRun> run = MakeRecipe(context, job.test());
      const absl::Status status =
          run->Test(context.data->evaluation, context.data->labels, context.threads).status();
      *seconds = run->seconds();
      return status;
    }
    case Job::kModel:
      return ChooseModel(context, job.model().planned(), job.model().search()).status();
    case Job::WORK_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the job's file names no work");
}

absl::Status ServeJobs(const RunContext& context, const TimeReport& report) {
  ActivitySeconds total;
  const auto answer = [&](const std::string& text,
                          const SayFunction& say) -> absl::StatusOr<std::string> {
    const nlohmann::json request = nlohmann::json::parse(text, nullptr, false);
    if (!request.is_object() || request.value("request", "") != "job" ||
        !request.contains("file") || !request["file"].is_string()) {
      return absl::InvalidArgumentError(absl::StrCat("this is not a request for a job: ", text));
    }
    Job job;
    OP3D_RETURN_IF_ERROR(
        Annotate(ReadTextproto(JoinPath(context.folder, request["file"].get<std::string>()), &job),
                 "the folder of the run must be the same for the run and all its jobs"));
    ActivitySeconds seconds;
    const absl::Status status = DoJob(context, job, say, &seconds);
    total += seconds;
    OP3D_RETURN_IF_ERROR(status);
    OP3D_RETURN_IF_ERROR(report.Write(total));
    JobAnswer done;
    done.set_done(true);
    return PrintProtoJson(done);
  };
  return ServeLines(STDIN_FILENO, STDOUT_FILENO, answer, context.group);
}

absl::Status ServePool(const RunContext& context, bool planned, const std::string& pool,
                       const TimeReport& report) {
  OP3D_ASSIGN_OR_RETURN(const MethodSearch search, SearchOfMethod(context, planned));
  const bool known =
      std::any_of(search.plan.graphs.begin(), search.plan.graphs.end(),
                  [&](const TransitionGraph& graph) { return graph.pool() == pool; });
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("the settings of this run have no pool \"", pool, "\""));
  }
  EdgeTrainer trainer(
      SearchJob(search.plan, pool, *context.data, MakeJob(context, search.settings)),
      &context.data->search_measured, search.plan.kept_epochs);
  const auto answer = [&](const std::string& line, const SayFunction&) {
    absl::StatusOr<std::string> text = AnswerEdge(line, &trainer);
    const absl::Status written = report.Write(trainer.seconds());
    return written.ok() ? text : written;
  };
  return ServeLines(STDIN_FILENO, STDOUT_FILENO, answer, context.group);
}

}  // namespace

std::string ChildIdentity(const BenchmarkData& data) {
  const uint32_t program = Crc32(ReadFile("/proc/self/exe").value_or(""));
  std::string lists;
  for (const DatasetReport::List& list : data.report.lists()) {
    absl::StrAppendFormat(&lists, "%08x", list.crc32());
  }
  return absl::StrFormat("program=%08x,lists=%08x", program, Crc32(lists));
}

std::string EdgeService(bool planned, const std::string& pool) {
  return absl::StrCat(planned ? kPlanned : kPublished, pool);
}

planner::ChildRunnerOptions EdgeChild(const JobOptions& options, const std::string& service,
                                      int job) {
  planner::ChildRunnerOptions child;
  child.command = CommandOf(options, service, job);
  child.launcher = LauncherOf(options, job);
  child.answer_timeout = kAnswerTimeout;
  child.retries = options.retries;
  child.keep_child = true;
  return child;
}

JobChildren::JobChildren(const JobOptions& options, const std::string& run_folder)
    : options_(options), run_folder_(run_folder), children_(options.count) {}

void JobChildren::Close(int worker) { children_[worker].reset(); }

absl::Status JobChildren::Do(int worker, const std::string& name, const Job& job,
                             const std::function<void(int, int, double)>& on_epoch) {
  OP3D_RETURN_IF_ERROR(MakeFolders(JobsFolder(run_folder_)));
  const std::string file = absl::StrCat(kJobs, "/", name, ".textproto");
  OP3D_RETURN_IF_ERROR(WriteTextproto(JoinPath(run_folder_, file), job));
  const std::string line = nlohmann::ordered_json({{"request", "job"}, {"file", file}}).dump();
  // A child that resumes may train the newest epochs again.
  int best = -1;
  for (int attempt = 0;;) {
    const int before = best;
    const absl::Time start = absl::Now();
    const absl::Status status = DoOnce(worker, line, [&](int done, int total, double loss) {
      if (done <= best) return;
      best = done;
      on_epoch(done, total, loss);
    });
    if (status.ok()) return RemoveFile(JoinPath(run_folder_, file));
    // A scheduler may stop a long test any number of times: what it had done is saved.
    const bool stopped = children_[worker] != nullptr && children_[worker]->WasStopped();
    if (stopped && absl::Now() - start >= planner::ChildRunnerOptions().progress) --attempt;
    Close(worker);
    const bool lost = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
    if (!lost) return status;
    attempt = best > before ? 1 : attempt + 1;
    if (attempt > options_.retries) {
      return Annotate(status, absl::StrCat(name, ": job ", worker, " was started ", attempt,
                                           " times and did nothing"));
    }
    std::fprintf(stderr, "%s: %s; trying again with a new child\n", name.c_str(),
                 std::string(status.message()).c_str());
  }
}

absl::Status JobChildren::DoOnce(int worker, const std::string& line,
                                 const std::function<void(int, int, double)>& on_epoch) {
  std::unique_ptr<planner::ChildProcess>& child = children_[worker];
  if (child == nullptr) {
    OP3D_ASSIGN_OR_RETURN(child,
                          planner::ChildProcess::Start(
                              planner::LaunchCommand(LauncherOf(options_, worker),
                                                     CommandOf(options_, kJobService, worker)),
                              "."));
  }
  OP3D_RETURN_IF_ERROR(child->WriteLine(line));
  for (;;) {
    OP3D_ASSIGN_OR_RETURN(const std::string text, child->ReadAnswer(kAnswerTimeout));
    JobAnswer answer;
    OP3D_RETURN_IF_ERROR(Annotate(ParseProtoJson(text, /*ignore_unknown=*/true, &answer),
                                  absl::StrCat("the child's answer ", text.substr(0, 200))));
    if (!answer.error().empty()) {
      const absl::Status status = absl::AbortedError(answer.error());
      return answer.failed() ? MarkTrainingFailure(status, answer.error()) : status;
    }
    if (answer.done()) return absl::OkStatus();
    on_epoch(answer.epochs(), answer.of(), answer.loss());
  }
}

absl::Status AddChildrenTime(const std::string& folder, TimeSplit* time) {
  const std::string jobs = JobsFolder(folder);
  if (!FolderExists(jobs)) return absl::OkStatus();
  OP3D_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(jobs));
  // Children of one service run at once, those of several one after the other.
  std::map<std::string, double> memory;
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, kTimeSuffix)) continue;
    TimeSplit one;
    OP3D_RETURN_IF_ERROR(ReadTextproto(JoinPath(jobs, name), &one));
    time->set_decode(time->decode() + one.decode());
    time->set_transform(time->transform() + one.transform());
    time->set_forward(time->forward() + one.forward());
    time->set_backward(time->backward() + one.backward());
    time->set_step(time->step() + one.step());
    memory[name.substr(0, name.rfind('-'))] += one.peak_memory_mib();
  }
  double most = 0;
  for (const auto& [service, sum] : memory) most = std::max(most, sum);
  time->set_peak_memory_mib(time->peak_memory_mib() + most);
  return absl::OkStatus();
}

void RemoveChildrenTime(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(JobsFolder(folder), ignored);
}

absl::Status Serve(const RunContext& context, const std::string& service,
                   const std::string& identity, int number) {
  const std::string own = ChildIdentity(*context.data);
  if (own != identity) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job ", number, " is not of the same run: ", identity, " there, ", own,
        " here; every job needs the same build of op3d (program) and the same copy of the dataset "
        "with the same index (lists)"));
  }
  const TimeReport report(context, service, number);
  if (service == kJobService) return ServeJobs(context, report);
  absl::string_view pool = service;
  if (absl::ConsumePrefix(&pool, kPlanned)) {
    return ServePool(context, /*planned=*/true, std::string(pool), report);
  }
  if (absl::ConsumePrefix(&pool, kPublished)) {
    return ServePool(context, /*planned=*/false, std::string(pool), report);
  }
  return absl::InvalidArgumentError(absl::StrCat("--serve=", service, " is not a service"));
}

}  // namespace op3d::benchmarks
