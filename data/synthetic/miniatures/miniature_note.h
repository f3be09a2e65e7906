// The file that marks a folder as a miniature, not the real data set.
#ifndef OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_NOTE_H_
#define OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_NOTE_H_

namespace op3d::data {

// It says which data set the miniature replaces, and how it was made.
inline constexpr char kMiniatureNote[] = "synthetic.txt";

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_NOTE_H_
