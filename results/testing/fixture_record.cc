#include "results/testing/fixture_record.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "op3d/base/random_stream.h"
#include "results/record/record.h"

namespace op3d::results {
namespace {

constexpr int kFrames[] = {16, 32, 64};
constexpr double kBaseRate[] = {0.04, 0.04, 0.02};
constexpr double kFactor[] = {1, 0.25, 0.06};
// States by name's number: S1 = (16 frames, high), S2 = (32, high), S3 = (16, mid), ...
constexpr int kLength[] = {0, 1, 0, 2, 1, 0, 2, 1, 2};
constexpr int kRate[] = {0, 0, 1, 0, 1, 2, 1, 2, 2};
constexpr int kTransitions[][2] = {{0, 1}, {0, 2}, {1, 2}, {1, 3}, {2, 4}, {2, 5}, {3, 5},
                                   {3, 6}, {4, 7}, {5, 7}, {5, 8}, {6, 8}, {7, 9}, {8, 9}};
constexpr int kAttemptEpochs = 4;

// The performance that training in a state reaches, by length and learning rate; made up.
constexpr double kReach[3][3] = {{0.79, 0.845, 0.85}, {0.885, 0.925, 0.93}, {0.92, 0.965, 0.972}};

TransitionGraph MakeGraph(bool uniform) {
  const int shift = uniform ? 9 : 0;
  const auto name = [&](int number) { return absl::StrCat("S", number == 0 ? 0 : number + shift); };
  TransitionGraph graph;
  graph.set_pool(uniform ? "us" : "cs");
  graph.set_initial("S0");
  for (int number = 1; number <= 9; ++number) {
    const int length = kLength[number - 1], rate = kRate[number - 1];
    StateSettings* state = graph.add_states();
    state->set_name(name(number));
    state->set_segments(uniform ? kFrames[length] / 4 : 1);
    state->set_frames_per_segment(uniform ? 4 : kFrames[length]);
    state->set_stride(1);
    state->set_learning_rate(kBaseRate[length] * kFactor[rate]);
    state->set_batch_size(16);
    state->set_accumulation(1);
    state->set_frozen_batch_norm(length == 2);
  }
  for (const auto& [from, to] : kTransitions) {
    Transition* transition = graph.add_transitions();
    transition->set_from(name(from));
    transition->set_to(name(to));
  }
  graph.add_finals(name(9));
  return graph;
}

double Curve(const KneeEstimate& fit, double x) {
  return -fit.a() * std::exp(-fit.b() * x) - fit.c() * x - fit.d() * x * x + fit.e();
}

void SetKnee(KneeEstimate* fit) {
  int knee = 0;
  for (int epoch = 1; epoch < 1000; ++epoch) {
    if (Curve(*fit, epoch) > Curve(*fit, knee)) knee = epoch;
  }
  fit->set_knee(knee);
  fit->set_value(Curve(*fit, knee));
}

void AddPoint(int epoch, double performance, RandomStream* noise, EdgeOutcome* edge) {
  const double gap = 0.5 * performance * (1 - performance);
  CurvePoint* point = edge->add_curve();
  point->set_epoch(epoch);
  point->set_performance(performance);
  point->set_top1(performance - 1.2 * gap);
  point->set_top3(performance + 0.5 * gap);
  point->set_top5(performance + 0.7 * gap);
  if (epoch == 0) return;
  point->set_loss(2.2 * (1 - performance) + noise->Uniform(0, 0.05));
  point->set_train_seconds(0.6 + noise->Uniform(0, 0.2));
  point->set_evaluation_seconds(0.25 + noise->Uniform(0, 0.05));
}

// From `start` towards the state's reach: fast at first, then a slow decrease (overfitting).
EdgeOutcome MakeEdge(const Transition& transition, int index, double start, double reach, int bound,
                     uint64_t seed) {
  RandomStream noise(seed, "fixture.edge", {index});
  EdgeOutcome edge;
  edge.set_from(transition.from());
  edge.set_to(transition.to());
  KneeEstimate* fit = edge.mutable_knee();
  fit->set_a(std::max(0.0, reach - start));
  fit->set_b(noise.Uniform(0.25, 0.9));
  fit->set_c(noise.Uniform(0.0002, 0.003));
  fit->set_d(noise.Uniform(0.00001, 0.0001));
  fit->set_e(start + fit->a());
  SetKnee(fit);
  fit->mutable_interval()->set_low(std::max(0, fit->knee() - 2));
  fit->mutable_interval()->set_high(fit->knee() + 3);
  const int trained = std::min(bound, std::max(fit->knee(), 0) + kAttemptEpochs);
  double residual = 0;
  for (int epoch = 0; epoch <= trained; ++epoch) {
    const bool untrained = epoch == 0 && start == 0;
    const double error = untrained ? 0 : 0.006 * noise.Gaussian();
    AddPoint(epoch, std::clamp(Curve(*fit, epoch) + error, 0.0, 1.0), &noise, &edge);
    residual += error * error;
  }
  fit->set_residual(residual);
  edge.set_epochs(std::min(fit->knee(), trained));
  edge.set_score(Curve(*fit, edge.epochs()));
  edge.set_ending(trained == fit->knee() + kAttemptEpochs ? EdgeOutcome::KNEE_PASSED
                                                          : EdgeOutcome::BOUND);
  return edge;
}

// A simple implementation of dynamic programming: the edges come in topological order.
void AddPlan(const std::map<std::string, EdgeOutcome>& best, SearchOutcome* search) {
  Plan* plan = search->mutable_plan();
  plan->set_pool(search->graph().pool());
  std::vector<std::string> path = {search->graph().finals(0)};
  plan->set_value(best.at(path[0]).score());
  while (best.count(path.back()) > 0) path.push_back(best.at(path.back()).from());
  std::reverse(path.begin(), path.end());
  for (const std::string& name : path) {
    plan->add_path(name);
    for (const StateSettings& state : search->graph().states()) {
      if (state.name() != name || best.at(name).epochs() == 0) continue;
      Plan::Step* step = plan->add_steps();
      *step->mutable_state() = state;
      step->set_epochs(best.at(name).epochs());
    }
  }
}

SearchOutcome MakeSearch(bool uniform) {
  SearchOutcome search;
  *search.mutable_graph() = MakeGraph(uniform);
  search.mutable_rule()->set_attempt_epochs(kAttemptEpochs);
  search.mutable_rule()->set_max_epochs_from_initial(20);
  search.mutable_rule()->set_max_epochs(8);
  std::map<std::string, EdgeOutcome> best;
  RandomStream noise(uniform ? 2 : 1, "fixture.reach", {});
  for (int i = 0; i < search.graph().transitions_size(); ++i) {
    const Transition& transition = search.graph().transitions(i);
    const int to = kTransitions[i][1];
    const bool initial = transition.from() == "S0";
    const double start = initial ? 0 : best.at(transition.from()).score();
    double reach = kReach[kLength[to - 1]][kRate[to - 1]] + (uniform ? 0.006 : 0);
    reach += noise.Uniform(-0.008, 0.008);
    const EdgeOutcome edge =
        MakeEdge(transition, i, start, reach, initial ? 20 : 8, uniform ? 2 : 1);
    *search.add_edges() = edge;
    const auto found = best.find(edge.to());
    if (found == best.end() || edge.score() > found->second.score()) best[edge.to()] = edge;
  }
  for (const StateSettings& state : search.graph().states()) {
    NodeOutcome* node = search.add_nodes();
    node->set_state(state.name());
    node->set_value(best.at(state.name()).score());
    node->set_from(best.at(state.name()).from());
  }
  AddPlan(best, &search);
  return search;
}

struct ClassFixture {
  const char* name;
  const char* group;
  // Number of correct videos out of 30: planned, hand-tuned, long cosine.
  int correct[3];
};
constexpr ClassFixture kClasses[] = {
    {"bars", "appearance", {27, 29, 27}}, {"checks", "appearance", {26, 28, 26}},
    {"ring", "appearance", {26, 29, 28}}, {"up", "short", {28, 29, 30}},
    {"down", "short", {29, 30, 29}},      {"fast", "short", {29, 29, 29}},
    {"slow", "short", {28, 30, 30}},      {"up>down", "long", {30, 15, 29}},
    {"down>up", "long", {29, 14, 30}},
};

void AddCounts(const std::string& name, int videos, int correct,
               google::protobuf::RepeatedPtrField<TestResult::ClassResult>* rows) {
  for (TestResult::ClassResult& row : *rows) {
    if (row.name() != name) continue;
    row.set_videos(row.videos() + videos);
    row.set_correct(row.correct() + correct);
    return;
  }
  TestResult::ClassResult* row = rows->Add();
  row->set_name(name);
  row->set_videos(videos);
  row->set_correct(correct);
}

void FillTest(int recipe, int clips, TestResult* test) {
  int correct = 0;
  for (const ClassFixture& one : kClasses) {
    AddCounts(one.name, 30, one.correct[recipe], test->mutable_classes());
    AddCounts(one.group, 30, one.correct[recipe], test->mutable_groups());
    correct += one.correct[recipe];
  }
  test->set_videos(270);
  test->set_clips(clips);
  test->set_crops(3);
  test->set_top1(correct / 270.0);
  test->set_top3((correct + 0.7 * (270 - correct)) / 270.0);
  test->set_top5((correct + 0.9 * (270 - correct)) / 270.0);
  test->set_mean_class_accuracy(correct / 270.0);
  test->add_head_top1(test->top1() - 0.011);
  test->add_head_top1(test->top1() - 0.004);
  test->set_scores_crc32(0x5c04e500u + recipe);
  test->set_scores_sha256(absl::StrCat(std::string(63, 'a'), recipe));
  test->set_scores_file("scores.safetensors");
}

void AddRecipe(const std::string& name, const std::string& title, const Plan& plan, int clips,
               RunRecord* record) {
  const int index = record->recipes_size();
  RecipeSettings* settings = record->mutable_settings()->add_recipes();
  settings->set_name(name);
  settings->set_title(title);
  settings->set_test_clips(clips);
  if (index == 0) {
    settings->set_planned(true);
  } else {
    *settings->mutable_hand_tuned()->mutable_state() = plan.steps(0).state();
    settings->mutable_hand_tuned()->mutable_cosine()->set_final_learning_rate(1e-6);
    settings->mutable_hand_tuned()->mutable_cosine()->set_warmup_epochs(1);
  }
  RecipeResult* recipe = record->add_recipes();
  recipe->set_name(name);
  recipe->set_title(title);
  *recipe->mutable_plan() = plan;
  int64_t frames = 0;
  for (const Plan::Step& step : plan.steps()) {
    recipe->set_epochs(recipe->epochs() + step.epochs());
    frames +=
        int64_t{270} * step.epochs() * step.state().segments() * step.state().frames_per_segment();
  }
  recipe->set_frames(frames);
  for (int epoch = 1; epoch <= recipe->epochs(); ++epoch) {
    recipe->add_losses(0.15 + 2.05 * std::exp(-0.12 * epoch));
  }
  FillTest(index, clips, recipe->mutable_test());
  recipe->set_weights_crc32(0x3e160000u + index);
  recipe->set_weights_sha256(absl::StrCat(std::string(63, 'b'), index));
  recipe->set_train_seconds(55.4 + 7 * index);
  recipe->set_test_seconds(9.5 + clips * 0.4);
}

Plan CosinePlan(const StateSettings& base, const std::string& name, int64_t frames) {
  Plan plan;
  Plan::Step* step = plan.add_steps();
  *step->mutable_state() = base;
  step->mutable_state()->set_name(name);
  step->set_epochs(static_cast<int>(
      std::lround(static_cast<double>(frames) / (270 * base.frames_per_segment()))));
  return plan;
}

void AddDataset(RunRecord* record) {
  const auto add = [&](const char* name, int listed, int missing, int broken, uint32_t crc32) {
    DatasetReport::List* list = record->mutable_dataset()->add_lists();
    list->set_name(name);
    list->set_listed(listed);
    list->set_missing(missing);
    list->set_broken(broken);
    list->set_used(listed - missing - broken);
    list->set_crc32(crc32);
    list->set_official(listed);
    return list;
  };
  add("train", 270, 0, 0, 0x1f00aa01u);
  add("held out", 180, 0, 0, 0x1f00aa02u);
  DatasetReport::List* test = add("evaluation", 273, 2, 1, 0x1f00aa03u);
  test->add_examples("up_000004: no such file val/up/up_000004.mp4");
  test->add_examples("ring_000011: ends after 3 of 96 frames");
  for (const ClassFixture& one : kClasses) record->mutable_dataset()->add_classes(one.name);
}

void AddEnvironment(RunRecord* record) {
  Environment* environment = record->mutable_environment();
  environment->set_started("2024-05-01T12:00:00Z");
  environment->set_finished("2024-05-01T12:06:31Z");
  environment->set_commit("0123456789abcdef0123456789abcdef01234567");
  environment->set_host("fixture");
  environment->set_cpu("Example CPU @ 2.0 GHz");
  environment->set_arithmetic("portable (AVX2)");
  ProcessorModel* processor = environment->mutable_processor();
  processor->set_vendor("ExampleVendor");
  processor->set_family(6);
  processor->set_model(85);
  processor->set_stepping(7);
  processor->add_flags("fma");
  processor->add_flags("avx2");
  environment->set_cores(2);
  environment->set_threads(2);
  environment->set_device("cpu");
  environment->add_libraries("libtorch 2.11.0");
  environment->add_libraries("libavcodec 59.37.100");
  TimeSplit* time = record->mutable_time();
  time->set_decode(5.2);
  time->set_transform(61.0);
  time->set_forward(243.7);
  time->set_backward(310.9);
  time->set_step(38.4);
  time->set_fit(0.9);
  time->set_wall(391.2);
  time->set_peak_memory_mib(1480);
}

// A test in which `correct` of the 270 videos, drawn with the row's name, are right.
TestResult DrawTest(const std::string& name, int correct) {
  RandomStream stream(1, absl::StrCat("fixture.right.", name), {});
  // The same videos are the hard ones for every row.
  std::vector<std::pair<double, int>> ease;
  for (int video = 0; video < 270; ++video) {
    const double common = RandomStream(1, "fixture.video", {video}).Uniform();
    ease.emplace_back(common + 0.4 * stream.Uniform(), video);
  }
  std::sort(ease.begin(), ease.end());
  std::vector<int64_t> ranks(270, 0);
  for (int i = 0; i < 270 - correct; ++i) ranks[ease[i].second] = 1;
  TestResult test;
  for (int video = 0; video < 270; ++video) {
    const ClassFixture& own = kClasses[video / 30];
    AddCounts(own.name, 1, ranks[video] == 0, test.mutable_classes());
    AddCounts(own.group, 1, ranks[video] == 0, test.mutable_groups());
  }
  const double share = correct / 270.0;
  test.set_videos(270);
  test.set_clips(10);
  test.set_crops(3);
  test.set_top1(share);
  test.set_top3((2 + share) / 3);
  test.set_top5((4 + share) / 5);
  test.set_mean_class_accuracy(share);
  test.set_right(PackRight(ranks));
  return test;
}

RecipeResult* AddRow(const std::string& name, RecipeResult::Role role, int correct,
                     int64_t total_frames, RunRecord* record) {
  const RecipeResult planned = record->recipes(0);
  RecipeResult* row = record->add_recipes();
  *row->mutable_plan() = planned.plan();
  row->set_name(name);
  row->set_role(role);
  row->set_epochs(planned.epochs());
  row->set_frames(std::min(total_frames, planned.frames()));
  row->set_total_frames(total_frames);
  *row->mutable_test() = DrawTest(name, correct);
  row->set_train_seconds(60);
  return row;
}

}  // namespace

RunRecord MakeFixtureRecord() {
  RunRecord record;
  record.set_schema_version(kRecordSchemaVersion);
  record.add_notes("TEST FIXTURE: every figure here is made up; nothing was trained.");
  BenchmarkSettings* settings = record.mutable_settings();
  settings->set_benchmark("kinetics400");
  settings->set_scale(BenchmarkSettings::MINIATURE);
  settings->mutable_dataset()->set_name("kinetics400");
  settings->mutable_dataset()->set_classes(9);
  settings->mutable_network()->set_name("dg_p3d_miniature");
  settings->mutable_network()->set_dropout(0.2);
  settings->mutable_sgd()->set_momentum(0.9);
  settings->mutable_sgd()->set_weight_decay(1e-4);
  settings->set_seed(1);
  AddDataset(&record);
  for (const bool uniform : {false, true}) {
    *record.add_searches() = MakeSearch(uniform);
    *settings->mutable_search()->add_pools() = record.searches().rbegin()->graph();
  }
  *settings->mutable_search()->mutable_rule() = record.searches(0).rule();
  record.mutable_plan()->CopyFrom(record.searches(0).plan().value() >
                                          record.searches(1).plan().value()
                                      ? record.searches(0).plan()
                                      : record.searches(1).plan());
  AddRecipe("planned", "planned", record.plan(), 10, &record);
  const int64_t frames = record.recipes(0).frames();
  const TransitionGraph& consecutive = record.searches(0).graph();
  AddRecipe("hand_tuned", "hand-tuned: 16-frame cosine, equal frames",
            CosinePlan(consecutive.states(0), "16-frame cosine", frames), 20, &record);
  AddRecipe("hand_tuned_64", "hand-tuned: 64-frame cosine, equal frames",
            CosinePlan(consecutive.states(3), "64-frame cosine", frames), 10, &record);
  int bound = 0, edges = 0;
  for (const SearchOutcome& search : record.searches()) {
    edges += search.edges_size();
    for (const EdgeOutcome& edge : search.edges()) bound += edge.ending() == EdgeOutcome::BOUND;
  }
  record.add_notes(absl::StrCat(bound, " of ", edges, " edges ended at the bound on epochs."));
  AddEnvironment(&record);
  return record;
}

RunRecord MakeRolesFixtureRecord() {
  RunRecord record = MakeFixtureRecord();
  const int64_t plan = record.recipes(0).frames(), budget = 6 * plan;
  RecipeResult* model = AddRow("planned_model", RecipeResult::PLANNED_MODEL, 259, budget, &record);
  model->set_model("average of the best two final states");
  model->set_held_out(0.961);
  for (const int epochs : {2, 4, 8}) {
    RecipeResult::Candidate* candidate = model->add_candidates();
    candidate->set_title(absl::StrCat("64 frames annealed over ", epochs, " epochs"));
    candidate->set_plan(absl::StrCat("32@0.04x20, 64@0.02x", epochs));
    candidate->set_frames(int64_t{270} * 64 * epochs);
    candidate->set_held_out(0.93 + 0.01 * epochs / 4);
  }
  AddRow("planned_again", RecipeResult::PLANNED_AGAIN, 254, budget + plan, &record);
  AddRow("published_model", RecipeResult::PUBLISHED_MODEL, 248, 8 * plan, &record);
  AddRow("published_again", RecipeResult::PUBLISHED_AGAIN, 247, 9 * plan, &record);
  RecipeResult* hand_tuned = AddRow("hand_tuned_64", RecipeResult::HAND_TUNED, 250, plan, &record);
  hand_tuned->set_title("hand-tuned: 64-frame cosine");
  RecipeResult* best = AddRow("best_fixed", RecipeResult::BEST_FIXED, 252, budget, &record);
  RecipeResult* long_run = AddRow("long_run", RecipeResult::LONG_RUN, 256, budget, &record);
  long_run->set_frames(budget);
  long_run->clear_plan();  // not of these frames
  int index = 0;
  for (const char* sampling : {"cs 16", "cs 64", "us 8x4"}) {
    for (const int divisor : {1, 4, 16}) {
      const std::string title = absl::StrCat(sampling, ", rate / ", divisor);
      RecipeResult* fixed = AddRow(absl::StrCat("fixed_", index + 1), RecipeResult::FIXED,
                                   230 + 3 * index, budget / 9, &record);
      fixed->set_title(absl::StrCat("fixed: ", title));
      fixed->clear_plan();
      fixed->set_held_out(0.85 + 0.01 * index);
      RecipeResult::Candidate* candidate = best->add_candidates();
      candidate->set_title(title);
      candidate->set_frames(budget / 9);
      candidate->set_held_out(fixed->held_out());
      candidate->set_chosen(++index == 9);
    }
  }
  // The rows as they were before roles.
  record.mutable_recipes()->DeleteSubrange(0, 3);
  record.mutable_settings()->clear_recipes();
  return record;
}

RunRecord MakeFullFixtureRecord(const std::string& benchmark, double planned_top1) {
  RunRecord record = MakeFixtureRecord();
  record.mutable_settings()->set_benchmark(benchmark);
  record.mutable_settings()->set_scale(BenchmarkSettings::FULL);
  record.mutable_settings()->mutable_network()->set_name("dg_p3d_resnet50");
  for (RecipeResult& recipe : *record.mutable_recipes()) recipe.mutable_test()->clear_groups();
  record.mutable_recipes(0)->mutable_test()->set_top1(planned_top1);
  return record;
}

}  // namespace op3d::results
