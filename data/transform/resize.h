// Bilinear resizing with antialiasing, byte for byte as in Pillow 9.5.
//
//   // Short side 256, and of that only the centre crop:
//   OP3D_ASSIGN_OR_RETURN(Resize resize, Resize::Make({0, 0, 340, 240}, 362, 256,
//                                                     {53, 0, 256, 256}));
//   resize.Apply(image.pixels.data(), {0, 0, 340, 240}, crop.data());   // frame after frame
//
// A triangle filter, widened by the reduction factor; its weights are normalised, then rounded to
// 22 binary digits; first along x, rounded to bytes, then along y.  Only the pixels that are kept
// are computed, and they are the same bytes as if the whole picture had been resized and cropped.
#ifndef OP3D_DATA_TRANSFORM_RESIZE_H_
#define OP3D_DATA_TRANSFORM_RESIZE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "data/transform/crop.h"
#include "data/transform/pixel_rows.h"

namespace op3d::data {

// The setup that is the same for all frames of a clip.  Not thread-safe, because Apply uses scratch
// memory: use one per thread.
class Resize {
 public:
  // `source`, a box of the picture, is resized to `width` x `height`; `window` of the result is
  // kept.  InvalidArgument: an empty box, a window outside, a side of more than
  // 32768 pixels.
  static absl::StatusOr<Resize> Make(const Box& source, int width, int height, const Box& window);

  // `pixels`, [part.height, part.width, 3], are the box `part` of the picture, which must contain
  // needed().  `out`: [window.height, window.width, 3], not overlapping.
  void Apply(const uint8_t* pixels, const Box& part, uint8_t* out);

  // The pixels of the picture that Apply reads.
  const Box& needed() const { return needed_; }
  const Box& window() const { return window_; }

  // One direction as tables, for other implementations of Apply (op3d/gpu): output i of the window
  // is the sum over k < taps of weights[i * taps + k] times input first[i] + k, counted from
  // needed()'s corner; taps 0: it is input first[i].  Valid while this lives.
  struct AxisTables {
    int taps = 0;
    const std::vector<int>* first = nullptr;
    const std::vector<int32_t>* weights = nullptr;
  };
  AxisTables columns() const;
  AxisTables rows() const;

 private:
  // One direction: output i is the sum of `taps` inputs from first[i] with weights[i * taps + k].
  struct Axis {
    int taps = 0;
    std::vector<int> first;
    std::vector<int32_t> weights;
    // Output i equals input first[i].
    bool copy = false;
    // The inputs that the outputs need: [start, start + length) of the source box.
    int start = 0;
    int length = 0;
  };
  static Axis MakeAxis(int source_size, int size, int window_start, int window_size);
  // `readable`: the number of pixels that may be read from `row` on.
  void AlongX(const uint8_t* row, int readable, uint8_t* out) const;
  void AlongY(int y, uint8_t* out) const;

  Box needed_;
  Box window_;
  // Inputs are counted from needed_'s corner.
  Axis x_;
  Axis y_;
  // The inputs and weights of x_, moved here.
  RowTaps taps_;
  // [needed height, window width, 3]: the rows after the pass along x.
  std::vector<uint8_t> rows_;
};

// The size of a picture whose short side becomes `short_side`; the other side is truncated to whole
// pixels.
struct PictureSize {
  int width = 0;
  int height = 0;
};
PictureSize ShortSideSize(int width, int height, int short_side);

}  // namespace op3d::data

#endif  // OP3D_DATA_TRANSFORM_RESIZE_H_
