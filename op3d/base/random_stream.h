// Named streams of random numbers: the numbers depend only on the name, never on the thread,
// the order of the work or other streams.
//
//   RandomStream stream(seed, "crop", {epoch, video});
//   const int left = stream.UniformInt(width - 224 + 1);        // in [0, width - 224]
//
// SplitMix64 over a hash of the name; the same bits on every machine (std:: and absl::
// distributions do not guarantee this).
#ifndef OP3D_BASE_RANDOM_STREAM_H_
#define OP3D_BASE_RANDOM_STREAM_H_

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "absl/strings/string_view.h"

namespace op3d {

// 64-bit FNV-1a over the bytes.
uint64_t Fnv1a64(absl::string_view bytes);

// One stream.  Not thread-safe; construct one where it is used, it costs nothing.
class RandomStream {
 public:
  RandomStream(uint64_t seed, absl::string_view purpose, std::initializer_list<int64_t> indices);

  // 64 random bits.  Also makes this a UniformRandomBitGenerator.
  uint64_t operator()();
  using result_type = uint64_t;
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }

  // In [0, 1), 53 bits.
  double Uniform();
  // In [low, high).
  double Uniform(double low, double high);
  // In [0, limit), without bias; limit > 0.
  int64_t UniformInt(int64_t limit);
  // True with the given probability.
  bool Bernoulli(double probability);
  // Mean 0, standard deviation 1 (Box-Muller, one of the pair).
  double Gaussian();
  // Beta distributed with both parameters `alpha` > 0, in [0, 1]: uniform for 1, near 0 and 1 for
  // small ones.
  double Beta(double alpha);
  // A random order of 0 .. count - 1 (Fisher-Yates).
  std::vector<int64_t> Permutation(int64_t count);

 private:
  double Gamma(double shape);
  uint64_t state_;
};

}  // namespace op3d

#endif  // OP3D_BASE_RANDOM_STREAM_H_
