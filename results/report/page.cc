#include "results/report/page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace op3d::results {
namespace {

// $0: the title; $1: what stands below it; $2: the page itself; $3: the style of dark pictures.
constexpr char kPage[] = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$0</title>
<style>
:root { color-scheme: light; --paper: #fff; --ink: #1f2933; --grey: #52606d; --line: #d5dbe1;
  --rule: #e4e8ec; --soft: #f5f7f9; --track: #e9edf0; --mark: #0072B2; --link: #0067a3;
  --warn: #b34700; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 Helvetica, Arial, "Liberation Sans", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 36px 28px 60px; }
h1 { font-size: 28px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 44px 0 12px; padding-bottom: 6px;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 16px; margin: 24px 0 8px; }
p { margin: 8px 0; max-width: 80ch; }
ul { margin: 8px 0; padding-left: 22px; max-width: 90ch; }
li { margin: 3px 0; }
p, li, h1, h3 { overflow-wrap: anywhere; }
.subtitle, .note { color: var(--grey); }
.note { font-size: 13px; }
.headline { margin: 18px 0 0; padding: 10px 20px; background: var(--soft);
  border-left: 4px solid var(--mark); font-size: 20px; font-weight: 600; }
.headline p { max-width: 90ch; }
.headline .note { font-weight: 400; font-size: 15px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 12px 0; font-size: 14px; }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
th { color: var(--grey); font-size: 13px; font-weight: 600; vertical-align: bottom; }
td:first-child { min-width: 150px; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.figure { white-space: normal; }
tr.strong td { font-weight: 600; background: var(--soft); }
.bar { display: inline-block; width: var(--bar, 150px); height: 12px; margin-right: 6px;
  background: var(--track); border-radius: 2px; }
.bar > span { display: block; height: 12px; border-radius: 2px; }
.stack { display: flex; height: 30px; border-radius: 4px; overflow: hidden; margin: 12px 0; }
.stack > span { border-right: 1px solid var(--paper); }
.legend { list-style: none; padding: 0; max-width: none; display: flex; flex-wrap: wrap;
  gap: 4px 24px; }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
svg { display: block; margin: 12px 0; }
.panels { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0; }
.panels > svg { margin: 0; flex: none; }
.symbols { gap: 0 4px; }
.symbols > svg { width: auto !important; }
.narrow { display: none; }
.strips { list-style: none; padding: 0; max-width: none; }
.strips > li { margin: 0 0 18px; }
.strips p { margin: 2px 0; max-width: none; }
.strips img { display: block; height: 96px; width: auto; border-radius: 4px; }
.mistaken { color: var(--warn); }
details { margin: 10px 0; }
summary { cursor: pointer; color: var(--link); }
pre { font: 12.5px/1.45 "DejaVu Sans Mono", Menlo, Consolas, monospace; background: var(--soft);
  padding: 14px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
* { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
@media (max-width: 600px) {
  main { padding: 20px 14px 40px; }
  h1 { font-size: 23px; }
  h2 { margin-top: 32px; }
  .headline { padding: 6px 14px; font-size: 17px; }
  .headline .note { font-size: 14px; }
  table { font-size: 13px; }
  th, td { padding-right: 10px; }
  td:first-child { min-width: 110px; }
  td:not(.figure):not(:first-child) { min-width: 14ch; }
  .broad { display: none; }
  .narrow { display: block; }
  .panels { justify-content: center; }
  .symbols { justify-content: flex-start; }
}
@media print {
  @page { margin: 14mm; }
  body { font-size: 11px; }
  .note { font-size: 10px; }
  main { padding: 0; max-width: none; }
  h2, h3 { break-after: avoid; }
  table, .headline, .stack, .strips > li, .panels > svg { break-inside: avoid; }
  table { font-size: 10px; }
  th, td { padding-right: 8px; }
  .bar { width: min(90px, var(--bar, 90px)); }
  .broad { display: block; }
  .narrow { display: none; }
  .wide { overflow-x: visible; }
  .wide > svg { min-width: 0 !important; }
  .strips img { height: auto; max-width: 100%; max-height: 96px; }
  .panels > svg { width: 24% !important; min-width: 0 !important; }
  .symbols > svg { width: auto !important; }
}
@media screen and (prefers-color-scheme: dark) {
:root { color-scheme: dark; --paper: #14181d; --ink: #e4e8ec; --grey: #a3afba; --line: #38424c;
  --rule: #2a323a; --soft: #1e242b; --track: #2c343c; --mark: #4fa8de; --link: #6cb9ea;
  --warn: #f08a4b; }
$3}
</style>
</head>
<body>
<main>
<h1>$0</h1>
<p class="subtitle">$1</p>
$2</main>
</body>
</html>
)html";

}  // namespace

std::string RenderPage(const std::string& title, const std::string& subtitle,
                       const std::string& body) {
  return absl::Substitute(kPage, EscapeXml(title), EscapeXml(subtitle), body, DarkPictures());
}

std::string PictureHtml(const Svg& picture) {
  return absl::StrCat("<div class=\"wide\">", picture.ToInline(), "</div>\n");
}

}  // namespace op3d::results
