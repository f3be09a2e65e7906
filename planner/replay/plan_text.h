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

// A plan: a line a step, with clip, learning rate, clips an update and epochs.
std::string PlanText(const Plan& plan);

// How far a search is: edges, epochs, the edge in work, time so far and to go at worst.
std::string FormatStatus(const SearchProgress& progress);

// Each state's ways in with their scores, the one that won and by how much, what the search cost,
// and the plan when it is found.
std::string FormatExplanation(const SearchProgress& progress);

// The plan, what was missing for a better answer, and the front as a table.
std::string FormatReplay(const Replay& replay);

}  // namespace op3d::planner

#endif  // OP3D_PLANNER_REPLAY_PLAN_TEXT_H_
