#include "op3d/network/layers/max_pool.h"

#include <ATen/ops/max_pool2d.h>

namespace op3d {

FeatureMap MaxPool(const PoolDefinition& pool, const FeatureMap& input) {
  const Size3 &k = pool.kernel, &s = pool.stride, &p = pool.padding;
  FeatureMap output = input;
  if (k[1] > 1 || k[2] > 1) {
    output.rows = RowsOf(at::max_pool2d(output.Images(), {k[1], k[2]}, {s[1], s[2]}, {p[1], p[2]}));
    const Size3 size = OutputSize(input.size, k, s, p);
    output.size = {input.size[0], size[1], size[2]};
  }
  if (k[0] > 1) {
    output.rows = RowsOf(at::max_pool2d(output.Sequences(), {k[0], 1}, {s[0], 1}, {p[0], 0}));
    output.size[0] = OutputSize(input.size, k, s, p)[0];
  }
  return output;
}

}  // namespace op3d
