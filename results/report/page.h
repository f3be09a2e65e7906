// The frame of a page: its head, style sheet and title.
//
//   WriteFileAtomically(path, RenderPage("HMDB51", "seed 1", "<p>...</p>\n"));
//
// The page loads nothing and has no scripts.  It is light or dark as the reader's system is
// (prefers-color-scheme), light when printed, and fits widths from 320 pixels on.
#ifndef OP3D_RESULTS_REPORT_PAGE_H_
#define OP3D_RESULTS_REPORT_PAGE_H_

#include <string>

#include "results/picture/svg.h"

namespace op3d::results {

// HTML 5 in UTF-8.  `title` and `subtitle` are escaped, `body` is HTML.
std::string RenderPage(const std::string& title, const std::string& subtitle,
                       const std::string& body);

// A picture that scrolls inside the page if it is wider.
std::string PictureHtml(const Svg& picture);

}  // namespace op3d::results

#endif  // OP3D_RESULTS_REPORT_PAGE_H_
