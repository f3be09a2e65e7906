#include "benchmarks/parts/proxy.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "data/annotation/held_out.h"
#include "op3d/base/random_stream.h"

namespace op3d::benchmarks {
namespace {

constexpr int kDefaultPaths = 2;

// The plan that ends in the state `final`.
Plan PlanOf(const SearchOutcome& outcome, const std::string& final) {
  std::map<std::string, const StateSettings*> states;
  for (const StateSettings& state : outcome.graph().states()) states[state.name()] = &state;
  std::map<std::string, const NodeOutcome*> nodes;
  for (const NodeOutcome& node : outcome.nodes()) nodes[node.state()] = &node;
  std::vector<std::pair<const StateSettings*, int>> back;
  Plan plan;
  plan.set_pool(outcome.graph().pool());
  for (auto node = nodes.find(final); node != nodes.end();
       node = nodes.find(node->second->from())) {
    if (node->first == final) plan.set_value(node->second->value());
    for (const EdgeOutcome& edge : outcome.edges()) {
      if (edge.from() != node->second->from() || edge.to() != node->first) continue;
      if (edge.epochs() > 0) back.emplace_back(states.at(edge.to()), edge.epochs());
    }
  }
  std::reverse(back.begin(), back.end());
  for (const auto& [state, epochs] : back) {
    Plan::Step& step = *plan.add_steps();
    *step.mutable_state() = *state;
    step.set_epochs(epochs);
  }
  return plan;
}

}  // namespace

BenchmarkSettings ProxySettings(const BenchmarkSettings& settings) {
  BenchmarkSettings small = settings;
  const SearchSettings::Proxy& proxy = settings.search().proxy();
  if (proxy.width() > 0) small.mutable_network()->set_width(proxy.width());
  if (proxy.crop() > 0) {
    TransformSettings& transform = *small.mutable_transform();
    const double side = static_cast<double>(proxy.crop()) / transform.search_crop();
    transform.set_search_short_side(std::max(
        proxy.crop(), static_cast<int>(std::lround(transform.search_short_side() * side))));
    transform.set_search_crop(proxy.crop());
    transform.set_train_crop(proxy.crop());
  }
  return small;
}

std::vector<data::Video> ProxyVideos(const BenchmarkSettings& settings,
                                     const std::vector<data::Video>& videos) {
  const double share = settings.search().proxy().videos();
  if (share <= 0 || share >= 1) return videos;
  RandomStream stream(settings.seed(), "search.proxy", {});
  return data::SplitHeldOut(videos, 1 - share, stream()).first;
}

int ProxyPaths(const BenchmarkSettings& settings) {
  const int paths = settings.search().proxy().checked();
  return paths > 0 ? paths : kDefaultPaths;
}

double ProxyFrame(const BenchmarkSettings& settings) {
  const int crop = settings.search().proxy().crop();
  if (crop <= 0) return 1;
  const double side = static_cast<double>(crop) / settings.transform().train_crop();
  return side * side;
}

std::vector<Plan> BestPlans(const SearchOutcome& outcome, int count) {
  std::vector<Plan> plans;
  for (const std::string& name : outcome.graph().finals()) {
    Plan plan = PlanOf(outcome, name);
    if (plan.steps().empty()) continue;
    const bool known = std::any_of(plans.begin(), plans.end(), [&](const Plan& other) {
      return std::equal(other.steps().begin(), other.steps().end(), plan.steps().begin(),
                        plan.steps().end(), [](const Plan::Step& a, const Plan::Step& b) {
                          return a.state().name() == b.state().name() && a.epochs() == b.epochs();
                        });
    });
    if (!known) plans.push_back(std::move(plan));
  }
  std::stable_sort(plans.begin(), plans.end(),
                   [](const Plan& a, const Plan& b) { return a.value() > b.value(); });
  if (static_cast<int>(plans.size()) > count) plans.resize(count);
  return plans;
}

}  // namespace op3d::benchmarks
