// Plans and searches as text for a terminal.
#ifndef OP3D_PLANNER_REPLAY_PLAN_TEXT_H_
#define OP3D_PLANNER_REPLAY_PLAN_TEXT_H_

#include <string>

#include "planner/graphs/plan.pb.h"
#include "planner/replay/replay.h"
#include "planner/search/search_progress.h"

namespace op3d::planner {

// "32 frames", "64 frames / 2" (every 2nd), "8 x 4 frames", "16 frames @ 112" (its own crop).
std::string ClipText(const StateSettings& state);

// A plan: one line per step, with clip, learning rate, clips per update and epochs.
std::string PlanText(const Plan& plan);

// The progress of a search: edges, epochs, the current edge, time so far and at most remaining.
std::string FormatStatus(const SearchProgress& progress);

// Each state's edges with their scores, the one that won and by how much, the cost of the search,
// and the plan if it has been found.
std::string FormatExplanation(const SearchProgress& progress);

// The plan, what was missing for a better answer, and the front as a table.
std::string FormatReplay(const Replay& replay);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_REPLAY_PLAN_TEXT_H_
