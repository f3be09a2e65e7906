#include "op3d/base/random_stream.h"

#include <cmath>
#include <numeric>
#include <utility>

namespace op3d {
namespace {

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t Fnv1a64(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

RandomStream::RandomStream(uint64_t seed, absl::string_view purpose,
                           std::initializer_list<int64_t> indices)
    : state_(Mix(Fnv1a64(purpose) + Mix(seed + 0x9e3779b97f4a7c15u))) {
  for (const int64_t index : indices) {
    state_ = Mix(state_ + 0x9e3779b97f4a7c15u + static_cast<uint64_t>(index));
  }
}

uint64_t RandomStream::operator()() {
  state_ += 0x9e3779b97f4a7c15u;
  return Mix(state_);
}

double RandomStream::Uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

double RandomStream::Uniform(double low, double high) { return low + (high - low) * Uniform(); }

int64_t RandomStream::UniformInt(int64_t limit) {
  const uint64_t range = static_cast<uint64_t>(limit);
  const uint64_t rest = (0 - range) % range;  // 2^64 mod range: numbers below it would be a bias
  for (;;) {
    const uint64_t bits = (*this)();
    if (bits >= rest) return static_cast<int64_t>(bits % range);
  }
}

bool RandomStream::Bernoulli(double probability) { return Uniform() < probability; }

double RandomStream::Gaussian() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
  return radius * std::cos(2.0 * 3.141592653589793 * Uniform());
}

double RandomStream::Gamma(double shape) {
  // Marsaglia and Tsang (2000); shapes below 1 are computed from shape + 1.
  if (shape < 1) {
    const double boost = std::pow(1 - Uniform(), 1 / shape);
    return Gamma(shape + 1) * boost;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = Gaussian(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - Uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double RandomStream::Beta(double alpha) {
  const double a = Gamma(alpha), b = Gamma(alpha);
  // For tiny parameters both may be rounded to 0.
  return a + b > 0 ? a / (a + b) : 0.5;
}

std::vector<int64_t> RandomStream::Permutation(int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[i], order[UniformInt(i + 1)]);
  return order;
}

}  // namespace op3d
