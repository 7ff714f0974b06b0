// theme.js - light, dark, or as the system has it. The choice is kept in localStorage:
// it is no secret, and the only thing that the console keeps there.

const KEY = "weft-console-theme";
const CHOICES = ["auto", "light", "dark"];

function apply(choice) {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

export function theme() {
  const kept = localStorage.getItem(KEY);
  return CHOICES.includes(kept) ? kept : "auto";
}

export function setTheme(choice) {
  localStorage.setItem(KEY, choice);
  apply(choice);
}

// The one behind the present one, round and round.
export function nextTheme() {
  return CHOICES[(CHOICES.indexOf(theme()) + 1) % CHOICES.length];
}

export function startTheme() {
  apply(theme());
}
