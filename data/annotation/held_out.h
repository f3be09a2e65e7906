// A part of the training videos set aside to measure a search.
//
//   auto [search_train, held_out] = SplitHeldOut(list.videos, 0.4, seed);
#ifndef OP3D_DATA_ANNOTATION_HELD_OUT_H_
#define OP3D_DATA_ANNOTATION_HELD_OUT_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "data/annotation/video_list.h"

namespace op3d::data {

// {search_train, held_out}: of every label with n videos round(share * n) are held out, drawn by
// RandomStream(seed, "held_out", {label}), but never a label's last one.  Where videos have groups
// whole groups are held out, in random order until the share is reached, but never a label's last
// group: videos of one group look alike, and measuring on them would flatter.  A group with videos
// of several labels (one film, one place) is held out whole or not at all, and only where that
// brings none of its labels farther from its share; a label that would then have no video held out
// gets the group that oversteps the shares least, where there is one that leaves every label
// something.  The rows of one file without a group are a group.  `share` is in [0, 1] and taken as the nearer end outside it.  Both parts keep the
// order of `videos`.
std::pair<std::vector<Video>, std::vector<Video>> SplitHeldOut(const std::vector<Video>& videos,
                                                               double share, uint64_t seed);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_HELD_OUT_H_
