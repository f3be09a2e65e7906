// Splits off a part of the training videos, on which a search is measured.
//
//   auto [search_train, held_out] = SplitHeldOut(list.videos, 0.4, seed);
#ifndef OP3D_DATA_ANNOTATION_HELD_OUT_H_
#define OP3D_DATA_ANNOTATION_HELD_OUT_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "data/annotation/video_list.h"

namespace op3d::data {

// Returns {search_train, held_out}.  Of a label with n videos, round(share * n) are held out, drawn
// by RandomStream(seed, "held_out", {label}), but never all of them.  If videos have groups, whole
// groups are held out, in random order until the share is reached, but never a label's last
// group: videos of one group look alike, and measuring on them would give too good scores.
//
// A group with videos of several labels (one film, one place) is held out whole or not at all, and
// only if that moves none of its labels farther from its share.  A label that would then have no
// video held out gets the group that exceeds the shares least, if there is one that leaves every
// label some training videos.  Rows of one file without a group form a group.
//
// `share` is clamped to [0, 1].  Both parts keep the order of `videos`.
std::pair<std::vector<Video>, std::vector<Video>> SplitHeldOut(const std::vector<Video>& videos,
                                                               double share, uint64_t seed);

}  // namespace op3d::data

#endif  // OP3D_DATA_ANNOTATION_HELD_OUT_H_
