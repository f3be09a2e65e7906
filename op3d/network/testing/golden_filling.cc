#include "op3d/network/testing/golden_filling.h"

#include <cmath>

#include "absl/strings/match.h"
#include "op3d/base/random_stream.h"

namespace op3d {
namespace {

uint64_t Word(uint64_t hash, int64_t index) {
  uint64_t z = hash + (static_cast<uint64_t>(index) + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double Uniform(uint64_t hash, int64_t index) {
  return static_cast<double>(Word(hash, index) >> 11) * 0x1p-52 - 1.0;
}

// value = offset + scale * u, or with |u|.
struct Rule {
  double offset, scale;
  bool absolute = false;
};

Rule FindRule(const std::string& name, const std::vector<int64_t>& shape, int64_t elements) {
  if (absl::EndsWith(name, "running_mean")) return {0, 0.125};
  if (absl::EndsWith(name, "running_var")) return {1, 0.5, true};
  if (shape.size() >= 2) {
    const int64_t fan_in = elements / shape[0];
    return {0, std::sqrt(3.0 / fan_in)};
  }
  if (absl::EndsWith(name, ".bn3.weight")) return {0.25, 0.03125};
  if (absl::EndsWith(name, ".weight")) return {1, 0.125};
  return {0, 0.125};
}

}  // namespace

uint64_t GoldenWord(const std::string& name, int64_t index) { return Word(Fnv1a64(name), index); }

std::vector<double> GoldenUniform(const std::string& name, int64_t count) {
  const uint64_t hash = Fnv1a64(name);
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(Uniform(hash, i));
  return values;
}

std::vector<float> GoldenFilling(const std::string& name, const std::vector<int64_t>& shape,
                                 const std::string& stream) {
  int64_t elements = 1;
  for (const int64_t dimension : shape) elements *= dimension;
  const Rule rule = FindRule(name, shape, elements);
  const uint64_t hash = Fnv1a64(stream.empty() ? name : stream);
  std::vector<float> values(static_cast<size_t>(elements));
  for (int64_t i = 0; i < elements; ++i) {
    const double u = Uniform(hash, i);
    const double value = rule.offset + (rule.absolute ? std::abs(u) : u) * rule.scale;
    values[static_cast<size_t>(i)] = static_cast<float>(value);
  }
  return values;
}

std::vector<float> GoldenClip(const std::array<int64_t, 5>& shape, const std::string& name) {
  const uint64_t fine = Fnv1a64(name), coarse = Fnv1a64(name + ".coarse");
  const int64_t frames = shape[2], height = shape[3], width = shape[4];
  const int64_t cell_frames = (frames + 3) / 4, cell_rows = (height + 15) / 16,
                cell_columns = (width + 15) / 16;
  std::vector<float> values;
  int64_t i = 0;
  for (int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
    for (int64_t t = 0; t < frames; ++t) {
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x, ++i) {
          const int64_t cell =
              ((plane * cell_frames + t / 4) * cell_rows + y / 16) * cell_columns + x / 16;
          values.push_back(static_cast<float>(Uniform(fine, i) + 2.0 * Uniform(coarse, cell)));
        }
      }
    }
  }
  return values;
}

}  // namespace op3d
