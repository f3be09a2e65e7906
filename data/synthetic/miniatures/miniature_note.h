// How a miniature is told from the real data set.
#ifndef OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_NOTE_H_
#define OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_NOTE_H_

namespace op3d::data {

// A folder that holds this file is a miniature: it says of which data set, and how it was made.
inline constexpr char kMiniatureNote[] = "synthetic.txt";

}  // namespace op3d::data

#endif  // OP3D_DATA_SYNTHETIC_MINIATURES_MINIATURE_NOTE_H_
