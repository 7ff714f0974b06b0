// icons.js - the few signs of the console, drawn. All are decoration: the text beside
// them, or the button's label, says what they mean.
import { svg } from "./dom.js";

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  dark: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 7l6 0M12 12h9M12 17h6",
  overview: "M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z",
  topics: "M4 6h16M4 10h16M4 14h16M4 18h10",
  groups: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 20c0-4 3-6 6-6s6 2 6 6M16 5.5a3 3 0 0 1 0 5.5M18 14.5c2.5 .8 4 2.7 4 5.5",
  agents: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  usage: "M4 20V10M10 20V4M16 20v-8M21 20H3",
  audit: "M6 3h9l4 4v14H6zM9 12h7M9 16h7M14 3v5h5",
  clusters: "M12 3l9 5-9 5-9-5zM3 13l9 5 9-5",
  nodes: "M12 4v6M6 18l6-8 6 8M12 4h.01M6 18h.01M18 18h.01M6 18h12",
};

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }));
}

// The sign of the product: threads over and under.
export function logo() {
  return svg("svg", { class: "logo", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "logo-ground", width: 32, height: 32, rx: 8 }),
    svg("path", { class: "logo-weft", d: "M7 11h18M7 21h18" }),
    svg("path", { class: "logo-warp", d: "M11 7v2m0 5v11M21 7v11m0 5v2" }));
}
