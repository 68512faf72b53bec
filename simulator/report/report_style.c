/* report_style.c - the style of the page. Policies have the colours of Okabe and Ito, which
 * people with every kind of colour vision tell apart; on paper the page is always light. */
#include "simulator/report/report_style.h"

#include <stddef.h>

const char *const rc_report_style[] = {
    ":root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1c1f23;--soft:#5c6670;"
    "--line:#e1e4e8;--grid:#e9ebee;--good:#0b7a4b;--bad:#c2331f;--other:#0b63b5;"
    "--policy0:#0072b2;--policy1:#d55e00;--policy2:#009e73;--policy3:#b0579a;--policy4:#56b4e9;"
    "--policy5:#b58900;--policy6:#6a4c93;--policy7:#555;--policy8:#0072b2;--policy9:#d55e00;"
    "--policy10:#009e73;--policy11:#b0579a;--policy12:#56b4e9;--policy13:#b58900;"
    "--policy14:#6a4c93;--policy15:#555;"
    "--loss0:#8c1d18;--loss1:#c2331f;--loss2:#e8871e;--loss3:#f2bd4a;--loss4:#6a4c93;"
    "--loss5:#a58cc8;--loss6:#3b3f45;--loss7:#c9b458;--loss8:#2a6f97;--loss9:#4c9ac0;"
    "--loss10:#12435e;--loss11:#8cc5d9;--loss12:#7a3e65;--loss13:#9aa3ab;"
    "--mode1:#c2331f;--mode2:#e0a526;--mode3:#3584b8;--mode4:#7a3e65;--mode5:#9aa3ab}"
    "@media screen and (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2025;--ink:#e8eaed;"
    "--soft:#a2abb5;--line:#31373e;--grid:#2a3037;--good:#4cc38a;--bad:#ff7b66;--other:#6cb6ff;"
    "--policy0:#4aa8e0;--policy1:#ff9248;--policy2:#3ecf9f;--policy3:#e08fc8;--policy4:#8fd0f5;"
    "--policy5:#e3c14a;--policy6:#a98bd8;--policy7:#aaa;--policy8:#4aa8e0;--policy9:#ff9248;"
    "--policy10:#3ecf9f;--policy11:#e08fc8;--policy12:#8fd0f5;--policy13:#e3c14a;"
    "--policy14:#a98bd8;--policy15:#aaa;",

    "--loss0:#b9443d;--loss1:#e2604e;--loss2:#f09a43;--loss3:#f5cb6e;--loss4:#8d70b8;"
    "--loss5:#bba8d8;--loss6:#88909a;--loss7:#d8c878;--loss8:#4690ba;--loss9:#6cb4d8;"
    "--loss10:#2f7096;--loss11:#a8d6e6;--loss12:#a8628f;--loss13:#7b848d;"
    "--mode1:#e2604e;--mode2:#f0bc4a;--mode3:#5aa5d6;--mode4:#a8628f;--mode5:#7b848d}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif;font-variant-numeric:tabular-nums}"
    "main{max-width:1080px;margin:0 auto;padding:40px 24px 64px}"
    "h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}"
    "h2{font-size:19px;margin:0 0 4px}"
    "p.lead{color:var(--soft);margin:0 0 20px;max-width:72ch}"
    "section,header.card{background:var(--card);border:1px solid var(--line);border-radius:12px;"
    "padding:22px 24px;margin:0 0 20px}"
    "section>p{color:var(--soft);margin:0 0 14px;max-width:78ch}"
    "dl.facts{display:grid;grid-template-columns:fit-content(40%) minmax(0,1fr);gap:4px 18px;"
    "margin:18px 0 0;font-size:14px}dl.facts dt{color:var(--soft)}dl.facts dd{margin:0}"
    "h2,li,dt,dd{overflow-wrap:anywhere}"
    "@media screen and (max-width:520px){main{padding:16px 8px 32px}"
    "section,header.card{padding:16px 14px}dl.facts{grid-template-columns:minmax(0,1fr);gap:0}"
    "dl.facts dd{margin:0 0 8px}}",

    "code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    ".chip{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px}"
    "ul.verdict{margin:14px 0 0;padding-left:20px}ul.verdict li{margin:3px 0}"
    ".good{color:var(--good)}.bad{color:var(--bad)}.other{color:var(--other)}.none{color:var(--soft)}"
    ".scroll{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%;font-size:14px}"
    "th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}th:first-child,td:first-child{text-align:left;white-space:normal}"
    "thead th{color:var(--soft);font-weight:600;border-bottom-width:2px}"
    "td small{color:var(--soft)}tr:last-child td{border-bottom:0}"
    "td.word{text-align:left;font-weight:600}td.plot{padding:2px 6px;width:160px}"
    "svg{display:block;width:100%;height:auto;overflow:visible}"
    "svg text{font-size:12px;fill:var(--soft)}svg text.name{font-weight:600;fill:var(--ink);"
    "font-size:13px}svg text.axis{font-size:12px}svg text.node{font-size:10px}"
    "svg text.halo{paint-order:stroke;stroke:var(--card);stroke-width:4px}"
    ".grid{stroke:var(--grid);stroke-width:1}",

    ".loss{stroke:var(--card);stroke-width:.7}.lane{fill:var(--grid);opacity:.55}"
    ".dot{opacity:.72}.join{fill:none;stroke:var(--soft);stroke-width:.7;opacity:.35}"
    ".mean line{stroke-width:3;stroke-linecap:round}"
    ".curve{fill:none;stroke-width:2.4;stroke-linejoin:round}.curve.thin{stroke-width:1.6}"
    "svg.interval{width:150px;height:20px}.interval .zero{stroke:var(--soft);stroke-width:1;"
    "stroke-dasharray:2 2}.interval .range{stroke:currentColor;stroke-width:2.4;"
    "stroke-linecap:round}.interval circle{fill:currentColor}"
    "ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:12px 0 0;padding:0;"
    "font-size:13px;color:var(--soft)}ul.legend b{color:var(--ink);font-weight:600}"
    ".swatch{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:7px;"
    "vertical-align:-1px}.swatch.line{height:4px;vertical-align:3px;width:18px}"
    "footer{color:var(--soft);font-size:13px;max-width:84ch}"
    "@media print{@page{size:A4;margin:12mm}"
    ":root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--grid:#ddd;"
    "--good:#0b7a4b;--bad:#c2331f;--other:#0b63b5;--policy0:#0072b2;--policy1:#d55e00;"
    "--policy2:#009e73;--policy3:#b0579a;--mode1:#c2331f;--mode2:#e0a526;--mode3:#3584b8;",

    "--mode4:#7a3e65;--mode5:#9aa3ab}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}body{font-size:10.5pt}"
    "main{max-width:none;padding:0}section,header.card{border:0;border-top:1px solid var(--line);"
    "border-radius:0;padding:10px 0;margin:0 0 6px;break-inside:avoid}header.card{border-top:0}"
    "section.long{break-inside:auto}tr,svg,ul.legend{break-inside:avoid}h2,h2+p{break-after:avoid}"
    ".scroll{overflow:visible}table{font-size:9pt}th,td{padding:3px 6px}"
    "svg.interval{width:110px;height:15px}}",
    NULL,
};
