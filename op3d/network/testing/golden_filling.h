// For tests: the closed formula with which the golden cases fill networks and clips, so that no
// weights need to be shipped.  value(name, i) depends only on the name, the flat index and
// the shape.  Torch-free.
#ifndef OP3D_NETWORK_TESTING_GOLDEN_FILLING_H_
#define OP3D_NETWORK_TESTING_GOLDEN_FILLING_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace op3d {

// Word number `index` for the name: SplitMix64 seeded with the name's FNV-1a hash, without a loop.
uint64_t GoldenWord(const std::string& name, int64_t index);

// The first `count` numbers for the name, exact doubles in [-1, 1).
std::vector<double> GoldenUniform(const std::string& name, int64_t count);

// The values of the state dict's entry `name` (except a batch counter, which is 0); the rule
// depends on the name's ending.  `stream` is the name for the numbers if it is not the entry's own.
std::vector<float> GoldenFilling(const std::string& name, const std::vector<int64_t>& shape,
                                 const std::string& stream = "");

// A clip [N, 3, T, H, W]: fine noise on coarse cells.  `name` is "input", or "input.k" in pass k of
// a training.
std::vector<float> GoldenClip(const std::array<int64_t, 5>& shape, const std::string& name);

}  // namespace op3d

#endif  // OP3D_NETWORK_TESTING_GOLDEN_FILLING_H_
